/**
 * A plan as text for a terminal of 80 columns: the answer in the first line, then how it came about. Plain text without
 * colour, so that it reads the same in a file.
 */
import type { Plan } from '../report/plan-schema.ts'
import { formatCount, formatNumber } from '../units.ts'
import { columns } from './table.ts'
import { indent, wrap } from './text.ts'

type Dimension = Plan['tier']['decidedBy'][number]

const DIMENSIONS: Record<Dimension, { name: string; unit: string }> = {
  entities: { name: 'entities', unit: '' },
  inputTokensPerSec: { name: 'input', unit: ' tokens/s' },
  outputTokensPerSec: { name: 'output', unit: ' tokens/s' },
}

export function renderPlan(plan: Plan): string {
  return [
    answer(plan),
    '',
    section('Formula', formula(plan)),
    section('Tier', tier(plan)),
    ...(plan.instance ? [section('One instance', instance(plan.instance))] : []),
    section('Machines', machines(plan)),
    section('Recommendation', recommendation(plan)),
  ].join('\n')
}

/** '30 workers; 60-120 with redundancy 2-4x' */
function answer({ workers }: Plan): string {
  const { redundancy } = workers
  return `${counted(workers.peak, 'worker')}; ${span(workers)} with redundancy ${span(redundancy)}x`
}

function formula({ demand, formula: f, workers, measured, sizing }: Plan): string[] {
  const input = formatCount(demand.inputTokensPerSec)
  const output = formatCount(demand.outputTokensPerSec)
  const perWorker = formatCount(f.outputPerWorker.value)
  const ratio = formatCount(f.ratio.value)
  const factors = [...new Set([workers.redundancy.min, workers.redundancy.max])]
  const products = factors.map((factor, i) => `x ${factor} = ${formatNumber(i === 0 ? workers.min : workers.max)}`)
  return [
    '(input / R + output) / output per worker, times redundancy, then rounded up',
    `(${input} / ${ratio} + ${output}) / ${perWorker} = ${raw(workers.raw)} workers of one vCPU; ${products.join(', ')}`,
    '',
    ...rows(
      [
        ['input', `${formatNumber(demand.inputTokensPerSec)} tokens/s`, 'given, at the peak'],
        ['output', `${formatNumber(demand.outputTokensPerSec)} tokens/s`, 'given, at the peak'],
        ['R', ratio, `${f.ratio.from}; costs, not traffic`],
        ['output per worker', `${formatNumber(f.outputPerWorker.value)} tokens/s`, f.outputPerWorker.from],
      ],
      ['left', 'right', 'left'],
    ),
    ...(measured.length === 0
      ? []
      : [
          '',
          "By the vendor's measured figures of one worker instead:",
          ...rows(
            measured.map((m) => [
              m.path,
              `in ${formatCount(m.inputTokensPerSec)}, out ${formatCount(m.outputTokensPerSec)}, R ${formatNumber(m.ratio, 2)}`,
              `${counted(m.peak, 'worker')}; ${span(m)}`,
            ]),
            ['left', 'left', 'left'],
          ),
        ]),
    `Source: ${sizing.source}`,
  ]
}

function tier({ tier: t, workers }: Plan): string[] {
  const decided = list(t.decidedBy.map((dimension) => DIMENSIONS[dimension].name))
  return [
    `${t.name}: ${t.use}; decided by ${decided}`,
    '',
    ...rows(
      t.dimensions.map(({ dimension, value, tier: name, from, to }) => {
        const { name: label, unit } = DIMENSIONS[dimension]
        const bounds = to === null ? `above ${formatCount(from)}` : `${formatCount(from)} to ${formatCount(to)}`
        return [label, `${formatNumber(value)}${unit}`, name, bounds]
      }),
      ['left', 'right', 'left', 'left'],
    ),
    `${t.orMore ? `${t.vcpu}+ vCPU is the tier's own figure` : `${t.vcpu} vCPU is the tier's own figure, for its top`}; this peak computes to ${span(workers)}.`,
  ]
}

function instance(i: NonNullable<Plan['instance']>): string[] {
  const more = i.orMore ? '+' : ''
  const memory = i.memoryMb >= 1024 ? `${formatNumber(i.memoryMb / 1024)} GB` : `${formatNumber(i.memoryMb)} MB`
  return [
    `${i.name}: ${i.vcpu}${more} vCPU, ${memory}${more}, ${formatNumber(i.connections)} connections`,
    `Source: ${i.source}`,
  ]
}

function machines({ nodes, demand }: Plan): string[] {
  const { network } = nodes
  const gbps = `${formatNumber(network.eachWayGbps, network.eachWayGbps < 1 ? 3 : 1)} Gbit/s`
  return [
    `${nodes.cloud} ${nodes.type}: ${nodes.vcpu} vCPU, ${nodes.workersPerNode} of them for workers; ${formatCount(nodes.bandwidthGbps)} Gbit/s, ${formatNumber(network.targetUtilisation * 100)} % to be used`,
    `network: ${formatCount(demand.outputTokensPerSec)} x ${network.outputBytesPerToken} B + ${formatCount(demand.inputTokensPerSec)} x ${network.inputBytesPerToken} B = ${gbps} in, and again out`,
    '',
    ...rows([
      ['nodes for', ...nodes.counts.map(({ factor }) => (factor === 1 ? 'the peak' : `x ${factor}`))],
      ['CPU', ...nodes.counts.map(({ cpu }) => formatNumber(cpu))],
      ['network', ...nodes.counts.map(({ network: count }) => formatNumber(count))],
      ['both', ...nodes.counts.map(({ nodes: count }) => formatNumber(count))],
    ]),
    `Sources: ${network.source}; ${nodes.source}`,
  ]
}

function recommendation({ nodes, instances, sizing }: Plan): string[] {
  const [peak, ...redundant] = nodes.counts.map((count) => count.nodes)
  const binding = nodes.binding === 'network' ? 'Network binds first' : 'CPU binds first'
  const more =
    redundant.length > 0
      ? `, ${[...new Set(redundant)].map((count) => formatNumber(count)).join('-')} with redundancy`
      : ''
  return [
    `- ${binding}: ${counted(peak ?? 0, 'node')} like ${nodes.type} for the peak${more}.`,
    `- Dedicated CPU: ${familyList(instances.recommended)}.`,
    ...(instances.avoid.length > 0 ? [`- No burstable CPU (${familyList(instances.avoid)}): it delays tokens.`] : []),
    `- These are defaults of ${sizing.name}, not measurements of your gateway: bench yours with your models and prompts, then give --ratio, --output-per-worker or --sizing.`,
  ]
}

function familyList(rows: Plan['instances']['recommended']): string {
  const clouds = new Map<string, string[]>()
  for (const { cloud, families } of rows) clouds.set(cloud, [...(clouds.get(cloud) ?? []), ...families])
  return [...clouds].map(([cloud, families]) => `${cloud} ${families.join(' ')}`).join('; ')
}

function rows(cells: string[][], align?: ('left' | 'right')[]): string[] {
  return columns(cells, align, 0).split('\n')
}

function section(title: string, lines: string[]): string {
  return `${title}\n${lines.flatMap((line) => indent(wrap(line, 78, line.startsWith('- ') ? 2 : 0), 2)).join('\n')}\n`
}

/** '60-120', or one number where both ends are the same. */
function span({ min, max }: { min: number; max: number }): string {
  return min === max ? trimmed(min) : `${trimmed(min)}-${trimmed(max)}`
}

/** Two decimals; a value that they would round down to a whole number says so, since it takes one more worker. */
function raw(value: number): string {
  const whole = Math.floor(value)
  const barely = value > whole && formatNumber(value, 2) === formatNumber(whole, 2)
  return `${barely ? 'just over ' : ''}${trimmed(value)}`
}

function trimmed(value: number): string {
  const text = formatNumber(value, 2)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** 'a', 'a and b', 'a, b and c' */
function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

function counted(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`
}
