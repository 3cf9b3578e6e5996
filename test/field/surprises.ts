/** What stood out of each gateway, found by rules in what was measured. */
import { formatBytes, formatMs, formatNumber } from '../../src/units.ts'
import { type ArmReading, failuresOf, type Measured, stampedOf, toldOf } from './reading.ts'

interface Surprises {
  name: string
  seen: string[]
}

/** From where a difference is worth a sentence. */
const TIMES = 3
const KEPT = 0.95
const HALF = 0.5
const GROWN = 1.5
const HELD_MS = 5

type Found = (arm: ArmReading, direct: ArmReading | undefined, scenario: Measured) => string | undefined

const RULES: readonly Found[] = [
  ({ dropped }) => dropped && `dropped: ${dropped.why}`,
  ({ dropped, totals }) => (dropped || totals.sent > 0 ? undefined : 'none of its requests was counted'),
  (arm, direct, { setting }) => {
    const { totals } = arm
    if (totals.successful === totals.sent || setting === 'stalls' || totals.sent === 0) return undefined
    return direct && share(direct) < 1
      ? undefined
      : `${totals.sent - totals.successful} of ${totals.sent} not answered (${failuresOf(arm)})`
  },
  (arm, direct, { setting }) => {
    if (setting !== 'stalls' || !direct) return undefined
    const [own, without] = [kinds(arm), kinds(direct)]
    return own === without
      ? undefined
      : `its outcomes are ${own || 'none'}, where directly they are ${without || 'none'}`
  },
  (arm, _direct, { setting }) => {
    const stamped = stampedOf(arm)
    const known = (stamped?.count ?? 0) + (stamped?.cacheHits ?? 0) + (stamped?.retried ?? 0)
    const { successful } = arm.totals
    return setting === 'plain' && successful > 0 && known < successful * KEPT
      ? `${known} of ${successful} answers kept the provider's stamp`
      : undefined
  },
  (arm, direct) => {
    const [own, without] = [arm.throughput.requestsPerSec, direct?.throughput.requestsPerSec ?? 0]
    return without > 0 && own < without * HALF
      ? `${formatNumber(own)} requests/s where the provider alone has ${formatNumber(without)}`
      : undefined
  },
  (arm, direct) => {
    const added = stampedOf(arm)?.totalMs.p50
    if (!arm.ttftMs || !direct?.ttftMs || added === undefined) return undefined
    const held = arm.ttftMs.p50 - direct.ttftMs.p50
    return held > added * TIMES && held > added + HELD_MS
      ? `the first token is ${formatMs(held)} ms later, though the whole stream is only ${formatMs(added)} ms: ` +
          'it holds tokens back'
      : undefined
  },
  (arm, _direct, { setting }) => {
    const [told, stamped] = [toldOf(arm)?.totalMs.p50, stampedOf(arm)?.totalMs.p50]
    return setting === 'plain' && told !== undefined && stamped !== undefined && told < stamped * HALF
      ? `it says ${formatMs(told)} ms of itself, where stamps say ${formatMs(stamped)} ms`
      : undefined
  },
  ({ totals: { canceled } }) => {
    const wasted = canceled?.wasted
    return wasted && wasted.known > 0 && wasted.writtenToTheEnd > 0
      ? `${wasted.writtenToTheEnd} of ${wasted.known} answers were written to the end after the client had left`
      : undefined
  },
]

export function surprisesOf(measured: readonly Measured[], doctor: Record<string, readonly string[]>): Surprises[] {
  const names = [
    ...new Set(measured.flatMap(({ arms }) => arms.filter((arm) => !arm.baseline).map(({ name }) => name))),
  ]
  return names.map((name) => {
    const found = new Map<string, string[]>()
    for (const scenario of measured) {
      const direct = scenario.arms.find(({ baseline }) => baseline)
      const arm = scenario.arms.find((one) => one.name === name)
      for (const rule of arm ? RULES : []) {
        const words = arm && rule(arm, direct, scenario)
        if (words) found.set(words, [...(found.get(words) ?? []), scenario.name])
      }
    }
    const seen = [...found].map(([words, where]) => `${words} (${where.join(', ')})`)
    return { name, seen: [...seen, ...acrossScenarios(measured, name), ...diagnosed(doctor[name] ?? [])] }
  })
}

/** What only shows between two scenarios. */
function acrossScenarios(measured: readonly Measured[], name: string): string[] {
  const of = (scenario: string) => measured.find((one) => one.name === scenario)?.arms.find((arm) => arm.name === name)
  const [one, many, long] = [of('json-1'), of('json-16'), of('prompts-1mib')]
  const [alone, busy] = [one && stampedOf(one)?.totalMs.p50, many && stampedOf(many)?.totalMs.p50]
  const [rest, after] = [one?.rssBytes, long?.rssBytes]
  return [
    ...(alone !== undefined && busy !== undefined && busy > alone * TIMES
      ? [`with 16 in flight it adds ${formatMs(busy)} ms at P50, ${formatMs(alone)} ms with one`]
      : []),
    ...(rest && after && after > rest * GROWN
      ? [`prompts of 1 MiB take its memory from ${formatBytes(rest)} to ${formatBytes(after)}`]
      : []),
  ]
}

/** The rules of `kt doctor` that found something. */
function diagnosed(found: readonly string[]): string[] {
  const rules = [...new Set(found.flatMap((one) => /^`([^`]+)`/.exec(one)?.[1] ?? []))]
  return rules.length === 0 ? [] : [`\`kt doctor\` finds ${rules.map((rule) => `\`${rule}\``).join(', ')}`]
}

const share = ({ totals }: ArmReading) => totals.successful / Math.max(1, totals.sent)

function kinds({ totals }: ArmReading): string {
  return Object.keys(totals.outcomes)
    .filter((outcome) => outcome !== 'OK')
    .sort()
    .map((outcome) => `\`${outcome}\``)
    .join(', ')
}
