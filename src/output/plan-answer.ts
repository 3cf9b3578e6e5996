/** The answer of a plan in three lines: what to deploy and why, what would change it, what the formula says. */
import type { Plan } from '../report/plan-schema.ts'
import { counted, formatCount, formatNumber } from '../units.ts'
import { EXPLAINED, labelOf, list, rows, span, trimmed } from './plan-words.ts'
import type { Page } from './table.ts'

/** 'Deploy 186 pods of 1 vCPU, 832 MiB on 30 c5.4xlarge in 3 zones, at $14,892 a month: network binds' */
export function deployment({ fleet, nodes, cost, range }: Plan): string {
  const { pods, pod, zones, binding } = fleet
  const cpu = pod.cpuMillicores % 1_000 === 0 ? `${pod.cpuMillicores / 1_000} vCPU` : `${pod.cpuMillicores}m`
  const machines = cost?.parts.find(({ name }) => name === 'machines')?.usdPerMonth
  const price = machines === undefined ? '' : `, at $${formatNumber(machines)} a month`
  const why = fleet.nodes.perZone === 1 ? 'one a zone is the least' : `${binding} ${verb(binding, 'bind')}`
  const untold = unknownWithin(range)
  const does = untold ? `${untold}. By the estimate deploy` : 'Deploy'
  return (
    `${does} ${counted(pods.steady, 'pod')} of ${cpu}, ${formatNumber(pod.memoryMib)} MiB on ` +
    `${formatNumber(fleet.nodes.steady)} ${nodes.type} in ${counted(zones, 'zone')}${price}: ${why}`
  )
}

/** A range that is wider than this is no answer. */
const WIDEST = 10

/** 'Not known well enough: 6-36,710 pods, depending on output per worker'; '' where the range is narrow enough. */
function unknownWithin(range: Plan['range']): string {
  if (!range || range.pods.high <= WIDEST * range.pods.low) return ''
  const [most] = range.by
  const why = most === undefined ? '' : `, depending on ${labelOf(most)}`
  return `Not known well enough: ${span({ min: range.pods.low, max: range.pods.high })} pods${why}`
}

export function planAnswer(plan: Plan): string[] {
  return [deployment(plan), change(plan), formulaLine(plan)].filter((line) => line !== '')
}

const NAMED = 2

function change({ range, cost, fleet }: Plan): string {
  if (!range) return ''
  const { pods, nodes, by } = range
  const nodeSpan = span({ min: nodes.low, max: nodes.high })
  const varied = `depending on ${list(by.slice(0, NAMED).map(labelOf))}`
  const moves =
    by.length === 0
      ? `${counted(fleet.pods.steady, 'pod')} however its inputs vary`
      : `${span({ min: pods.low, max: pods.high })} pods on ${nodeSpan} nodes ${varied}`
  const traffic = cost ? `; its bytes $${formatCount(Number(cost.trafficUsdPerMonth.toPrecision(3)))} a month` : ''
  return `${moves}${traffic}`
}

/** 'Vendor's formula: 30 workers, 60-120 with redundancy 2-4x; 8 nodes, 15-30' */
function formulaLine({ workers, answer, quotas, calibration }: Plan): string {
  const interval = workers.interval95
    ? ` (${span({ min: workers.interval95[0] ?? 0, max: workers.interval95[1] ?? 0 })})`
    : ''
  const over = quotas.filter(({ accounts, have, without }) => accounts > have && without === undefined)
  const quota =
    over.length > 0 ? `; over the provider's quota of ${list([...new Set(over.map(({ name }) => name))])}` : ''
  return (
    `${calibration ? 'Formula, calibrated' : "Vendor's formula"}: ${counted(workers.peak, 'worker')}${interval}, ` +
    `${span(workers)} with redundancy ${span(workers.redundancy)}x; ` +
    `${counted(answer.nodes.peak, 'node')}, ${span(answer.nodes)}${quota}`
  )
}

/** 'network binds', 'connections bind' */
export function verb(name: string | undefined, does: string): string {
  return name?.endsWith('s') ? does : `${does}s`
}

export function costLines({ cost, nodes }: Plan, page: Page): string[] {
  if (!cost) return [`no price of ${nodes.type} is known`]
  const usd = (value: number): string => `$${formatNumber(value)}`
  return [
    ...rows(
      [
        ...cost.parts.map(({ name, usdPerMonth, why }) => [name, usd(usdPerMonth), why]),
        [
          'a month',
          usd(cost.usdPerMonth),
          `${formatCount(cost.gbPerMonth)} GB at ${trimmed(cost.meanLoad.share * 100)} % of the peak: ` +
            cost.meanLoad.why,
        ],
        ...(cost.tokens
          ? [
              [
                'tokens',
                usd(cost.tokens.usdPerMonth),
                `of ${cost.tokens.model}, ${cost.tokens.source} (${cost.tokens.date})`,
              ],
            ]
          : []),
      ],
      page,
      EXPLAINED,
    ),
    `List prices of ${cost.prices.region} (${cost.prices.date}): ${cost.prices.source}`,
  ]
}
