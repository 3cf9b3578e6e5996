/** A plan as text: the answer in the first line, then its derivation. */
import type { Plan } from '../report/plan-schema.ts'
import { counted, formatCount, formatDuration, formatMs, formatNumber, formatShare } from '../units.ts'
import { costLines, planAnswer, verb } from './plan-answer.ts'
import { instance, natLine, providerLines, publishedLines } from './plan-limits.ts'
import {
  EXPLAINED,
  explainPlan,
  fine,
  fitted,
  list,
  raw,
  rows,
  section,
  span,
  trimmed,
  withUnit,
} from './plan-words.ts'
import type { Page } from './table.ts'

type Dimension = Plan['tier']['decidedBy'][number]

const DIMENSIONS: Record<Dimension, { name: string; unit: string }> = {
  entities: { name: 'entities', unit: '' },
  inputTokensPerSec: { name: 'input', unit: ' tokens/s' },
  outputTokensPerSec: { name: 'output', unit: ' tokens/s' },
}

export function renderPlan(plan: Plan, page: Page): string {
  const { explain, width, c } = page
  const [first = '', ...others] = planAnswer(plan).map((line) => fitted(line, width).join('\n'))
  const { contradictions, quotas, calibration, published } = plan
  const sections: [string, string[] | undefined][] = [
    ['Demand', [demandLine(plan), ...plan.demand.notes]],
    ['Formula', formula(plan, page)],
    ['Constraints', constraints(plan, page)],
    ['Contradictions', contradictions.length > 0 ? contradictions.map((text) => `- ${text}.`) : undefined],
    ['Providers', quotas.length > 0 ? providerLines(plan, page) : undefined],
    ['Cost', costLines(plan, page)],
    ['Tier', tier(plan, page)],
    ['One instance', plan.instance && instance(plan.instance, page)],
    ['Published by others', published && explain ? publishedLines(published) : undefined],
    [`Redundancy of what binds (${plan.fleet.binding})`, redundancy(plan, page)],
    ['Waiting for a worker', waiting(plan, page)],
    ['Calibration', calibration?.notes.map((note) => `- ${note}`)],
    ['Explained', explain ? explainPlan(plan, page) : undefined],
    ['Recommendation', recommendation(plan)],
  ]
  return [
    c.bold(first),
    ...others,
    '',
    ...sections.flatMap(([title, lines]) => (lines ? [section(title, lines, page)] : [])),
  ]
    .join('\n')
    .trimEnd()
}

/** True where one node carries the upper plan, so that no constraint needs more. */
function nothingBinds({ nodes }: Plan['answer']): boolean {
  return nodes.max === 1
}

function demandLine({ demand }: Plan): string {
  const window =
    `${formatDuration(demand.window.seconds * 1_000)} ` +
    `window${demand.window.stated ? '' : ' (not stated: give --window)'}`
  const details = [
    `${formatShare(demand.outputTokensPerSec > 0 ? demand.streamedTokensPerSec / demand.outputTokensPerSec : 0)} ` +
      'streamed',
    ...(demand.hiddenTokensPerSec > 0 ? [`${formatCount(demand.hiddenTokensPerSec)} hidden tokens/s beside it`] : []),
    ...(demand.cacheHitShare > 0 ? [`${formatShare(demand.cacheHitShare)} of requests cached`] : []),
  ]
  return (
    `for ${formatCount(demand.inputTokensPerSec)} input and ${formatCount(demand.outputTokensPerSec)} output ` +
    `tokens/s (${demand.form}, ${window}), ${list(details)}; ${formatCount(demand.requestsPerSec)} ` +
    `requests/s${demand.requestsKnown ? '' : ` of ${demand.request.name}`}, ${formatCount(demand.inFlight)} in ` +
    'flight'
  )
}

function formula({ demand, formula: f, workers, measured, sizing }: Plan, page: Page): string[] {
  const perWorker = formatCount(f.outputPerWorker.value)
  const ratio = formatCount(f.ratio.value)
  const factors = [...new Set([workers.redundancy.min, workers.redundancy.max])]
  const products = factors.map((factor, i) => `x ${factor} = ${formatNumber(i === 0 ? workers.min : workers.max)}`)
  const bounds = ({ low, high }: Plan['formula']['ratio']): string =>
    low === undefined
      ? ''
      : `, 95 % ${high === undefined ? `from ${formatCount(low)}` : `${formatCount(low)}-${formatCount(high)}`}`
  const streamed = demand.streamedTokensPerSec
  const json = f.outputPerWorker.from === 'calibrated' ? 0 : demand.outputTokensPerSec - streamed
  return [
    `(${formatCount(demand.inputTokensPerSec)} / ${ratio} + ${formatCount(demand.outputTokensPerSec - json)}` +
      `${json > 0 ? ` + ${formatCount(json)} of JSON / ${ratio}` : ''}) / ${perWorker} = ` +
      `${raw(workers.raw)} workers of one vCPU; ${products.join(', ')}`,
    ...rows(
      [
        ['R', ratio, `${f.ratio.from}${bounds(f.ratio)}; a ratio of costs, not of traffic`],
        [
          'output per worker',
          `${formatNumber(f.outputPerWorker.value)} tokens/s`,
          `${f.outputPerWorker.from}${bounds(f.outputPerWorker)}`,
        ],
        ...measured.map((m) => [
          `by the ${m.path} path`,
          `${counted(m.peak, 'worker')}; ${span(m)}`,
          `in ${formatCount(m.inputTokensPerSec)}, out ${formatCount(m.outputTokensPerSec)}, R ` +
            `${formatNumber(m.ratio, 2)}: the vendor's measured worker`,
        ]),
      ],
      page,
      EXPLAINED,
    ),
    `Source: ${sizing.source}`,
  ]
}

function constraints({ constraints: all, nodes, answer: a, workers, nat }: Plan, page: Page): string[] {
  const held = Math.max(...all.filter(({ name }) => HELD_OPEN.has(name)).map(({ counts }) => counts[0]?.need ?? 0))
  const factors = all[0]?.counts.map(({ factor }) => factor) ?? []
  const gbps = `${formatNumber(nodes.eachWayGbps, nodes.eachWayGbps < 1 ? 3 : 1)} Gbit/s`
  const priced = [nodes.region, nodes.priceDate].filter((part) => part !== undefined).join(', ')
  const price =
    nodes.usdPerHour === undefined ? '' : `; $${trimmed(nodes.usdPerHour, 4)}/h${priced === '' ? '' : ` (${priced})`}`
  const marks = nothingBinds(a) ? ['most'] : ['binds', 'next']
  return [
    `${nodes.cloud} ${nodes.type}: ${nodes.vcpu} vCPU, ${nodes.workersPerNode} for workers; ` +
      `${nodes.bandwidthIs === 'ceiling' ? 'at most ' : ''}${formatCount(nodes.bandwidthGbps)} Gbit/s, ` +
      `${formatNumber(nodes.networkUtilisation * 100)} % used${price}`,
    ...rows(
      [
        ['', 'at the peak', ...factors.slice(1).map((factor) => `x ${factor}`), 'nodes', ''],
        ...all.map((constraint, i) => [
          constraint.name,
          `${constraint.per === 'worker' ? 'workers' : 'nodes'} ${formatNumber(constraint.counts[0]?.need ?? 0)}`,
          ...constraint.counts.slice(1).map(({ need }) => formatNumber(need)),
          fine(constraint.nodes),
          marks[i] ?? '',
        ]),
        [
          'all together',
          `nodes ${formatNumber(a.nodes.peak)}`,
          ...nodes.counts.slice(1).map((count) => formatNumber(count.nodes)),
          '',
          '',
        ],
      ],
      page,
    ),
    `each way ${gbps}; CPU ${nodes.counts.map((count) => formatNumber(count.cpuNodes)).join(', ')} and ` +
      `network ${nodes.counts.map((count) => formatNumber(count.networkNodes)).join(', ')} nodes at ` +
      `${['the peak', ...factors.slice(1).map((factor) => `x ${factor}`)].join(', ')}`,
    ...(held > workers.peak
      ? [
          `- ${formatNumber(held)} workers are needed for what they hold open, ` +
            `${formatNumber(workers.peak)} for the CPU: raise the cap, use --upstream-http h2, or run that many.`,
        ]
      : []),
    ...(nat ? [natLine(nat)] : []),
  ]
}

const HELD_OPEN = new Set(['connections', 'descriptors', 'ports'])

function tier({ tier: t, workers }: Plan, page: Page): string[] {
  const decided = list(t.decidedBy.map((dimension) => DIMENSIONS[dimension].name))
  return [
    `${t.name}: ${t.use}; decided by ${decided}`,
    ...rows(
      t.dimensions.map(({ dimension, value, tier: name, from, to }) => {
        const { name: label, unit } = DIMENSIONS[dimension]
        const bounds = to === null ? `above ${formatCount(from)}` : `${formatCount(from)} to ${formatCount(to)}`
        return [label, `${formatNumber(value)}${unit}`, name, bounds]
      }),
      page,
      ['left', 'right', 'left', 'left'],
    ),
    `${t.vcpu}${t.orMore ? '+' : ''} vCPU is the tier's own figure${t.orMore ? '' : ', for its top'}; ` +
      `this peak computes to ${span(workers)}.`,
  ]
}

function redundancy({ fleet, workers }: Plan, page: Page): string[] {
  const { min, max } = workers.redundancy
  const { redundancy: r, pods, nodes, zones } = fleet
  const flat = `the vendor's flat ${span(workers.redundancy)}x`
  const place =
    r.raw < 0.5
      ? `${fine(r.raw)} ${r.per}s' load on the fewest that can lose a zone, so no factor to hold beside ${flat}`
      : `${trimmed(r.product)}x, ${r.product < min ? 'below' : r.product > max ? 'above' : 'inside'} ${flat}`
  return [
    ...rows(
      r.parts.map(({ name, factor, why }) => [name, `x ${trimmed(factor)}`, why]),
      page,
      EXPLAINED,
    ),
    `= ${place}: ${counted(pods.steady, 'pod')} on ${counted(nodes.steady, 'node')}, ` +
      `${formatNumber(pods.perZone)} on ${formatNumber(nodes.perZone)} in each of ${counted(zones, 'zone')}; ` +
      `${formatNumber(pods.surging)} on ${formatNumber(nodes.surging)} while a deployment rolls`,
  ]
}

function waiting({ waiting: at, simulated, demand }: Plan, page: Page): string[] {
  const bursts =
    (demand.arrivalScv ?? 1) > 1
      ? ', as a Poisson stream: the formula has the bursts that were measured (Ca^2 ' +
        `${formatCount(demand.arrivalScv ?? 1)}), and kt plan simulate --trace replays them`
      : ''
  const ms = (value: number | undefined): string =>
    value === undefined ? 'unbounded' : value < 0.0005 ? '0 ms' : `${formatMs(value)} ms`
  return [
    ...rows(
      [
        ['workers', 'utilisation', 'P99, a queue each', 'P99, one for all'],
        ...at.map((row) => [
          formatNumber(row.workers),
          formatShare(row.utilisation),
          ms(row.perWorkerP99Ms),
          ms(row.pooledP99Ms),
        ]),
      ],
      page,
    ),
    simulated
      ? `By formula (two moments, M/G/1 and M/G/k); simulated with ${counted(simulated.workers, 'worker')}, a ` +
        `queue each: P99 ${simulatedSpan(simulated, ms)} (formula ${ms(simulated.formulaP99Ms)}), ` +
        `seed ${simulated.seed}${bursts}.`
      : 'By formula (two moments, M/G/1 and M/G/k), which errs by a factor of up to 2.',
  ]
}

/** As an interval: so many requests do not make three digits. */
function simulatedSpan({ p99Ms, p99Ms95 }: NonNullable<Plan['simulated']>, ms: (value: number) => string): string {
  return p99Ms95 === undefined ? ms(p99Ms) : `${ms(p99Ms95[0]).replace(' ms', '')}-${ms(p99Ms95[1])}`
}

function recommendation({ nodes, answer: a, instances, sizing, calibration, workers, fleet }: Plan): string[] {
  const { zones } = fleet
  const factor = `${span(workers.redundancy)}x`
  return [
    nothingBinds(a)
      ? `- One ${nodes.type} would do; run a worker in each of ${counted(zones, 'zone')} all the same, so that ` +
        'one may be lost.'
      : `- ${a.binding} ${verb(a.binding, 'bind')} first, then ${a.next}: ${counted(a.nodes.peak, 'node')} like ` +
        `${nodes.type} for the peak, ${span(a.nodes)} with redundancy ${factor}.`,
    `- Dedicated CPU: ${familyList(instances.recommended)}.`,
    ...(instances.avoid.length > 0 ? [`- No burstable CPU (${familyList(instances.avoid)}): it delays tokens.`] : []),
    calibration
      ? '- Calibrated from your own runs; what they did not measure stays ' +
        `${withUnit(nodes.networkUtilisation * 100, '%')} of a listed bandwidth and the defaults of ` +
        `${sizing.name} (--explain lists them). 'kt plan check' holds a new run against it.`
      : `- These are defaults of ${sizing.name}, not measurements of your gateway: bench yours with your models ` +
        'and prompts, then give --from-bench, or --ratio and --output-per-worker.',
  ]
}

function familyList(families: Plan['instances']['recommended']): string {
  const clouds = new Map<string, string[]>()
  for (const { cloud, families: names } of families) clouds.set(cloud, [...(clouds.get(cloud) ?? []), ...names])
  return [...clouds].map(([cloud, names]) => `${cloud} ${names.join(' ')}`).join('; ')
}
