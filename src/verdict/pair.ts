/**
 * How two reports relate: which question they answer (`overhead`: a gateway against going direct; `regression`: a new
 * gateway against an old one), whether they are of one paired run, in which conditions they differ, and whether their
 * figures are impossible. The mode follows from the roles in the reports; where a role is unknown, the assumption is
 * stated.
 */
import type { OverheadResult, Run } from '../report/schema.ts'
import { DEFAULT_ARRIVAL, describeArrivals } from '../schedule/arrivals.ts'
import { formatMs, formatNumber, formatShare } from '../units.ts'

export type Mode = 'overhead' | 'regression'

export interface Pair {
  baseline: Run
  gateway: Run
  mode: Mode
  /** Why this mode was chosen, in words. */
  modeWhy: string
  /** Both are arms of one run whose blocks alternate, so differences are taken block by block. */
  paired: boolean
}

export function toPair(baseline: Run, gateway: Run, asked?: Mode): Pair {
  const [mode, modeWhy] = asked ? [asked, 'as asked'] : inferMode(baseline, gateway)
  return { baseline, gateway, mode, modeWhy, paired: arePaired(baseline, gateway) }
}

/** True when both reports are the same arm of the same run. */
export function isSameArm(baseline: Run, gateway: Run): boolean {
  return baseline.runId === gateway.runId && baseline.name === gateway.name
}

function arePaired(baseline: Run, gateway: Run): boolean {
  return baseline.runId === gateway.runId && baseline.name !== gateway.name
}

function inferMode(baseline: Run, gateway: Run): [Mode, string] {
  const [a, b] = [baseline.role, gateway.role]
  switch (a) {
    case 'direct':
      return ['overhead', 'the baseline was measured directly']
    case 'gateway':
      if (b === 'gateway') return ['regression', 'both were measured through a gateway']
      if (b === 'direct') return ['overhead', 'the files look swapped']
      return ['regression', 'assumed: the baseline was measured through a gateway; --mode says otherwise']
    case 'unknown':
      if (baseline.url === gateway.url) {
        return ['regression', 'assumed: both files measured the same address; --mode says otherwise']
      }
      if (comparesEndpoints({ baseline, gateway }) && originOf(baseline) === originOf(gateway)) {
        return ['regression', 'assumed: both files measured the same host, by two endpoints; --mode says otherwise']
      }
      return ['overhead', 'assumed: the baseline names no gateway; --mode says otherwise']
    default:
      return a satisfies never
  }
}

export interface Difference {
  what: string
  baseline: string
  gateway: string
  /** True when this difference makes the runs incomparable. */
  forbids: boolean
}

type Scalar = string | number | boolean | null | undefined

/** True when the two runs speak two APIs. */
export function comparesEndpoints({ baseline, gateway }: Pick<Pair, 'baseline' | 'gateway'>): boolean {
  return baseline.target.endpoint !== gateway.target.endpoint
}

function originOf({ url }: Run): string | undefined {
  return URL.parse(url)?.origin
}

/**
 * What a verdict rests on: `latency` holds the time of the model; an overhead does not, be it the gateway's `own` or,
 * of runs of two endpoints, one that both were read by (`shared`).
 */
export type RestsOn = 'latency' | 'own overhead' | 'shared overhead'

/** In which conditions the runs differ, and which differences forbid a verdict that rests on `restsOn`. */
export function differencesBetween(baseline: Run, gateway: Run, restsOn: RestsOn): Difference[] {
  const aspects: [string, (report: Run) => Scalar, boolean][] = [
    ['workload', workloadReader(baseline, gateway), true],
    ['model', ({ target }) => target.model, restsOn === 'latency'],
    ['endpoint', ({ target }) => target.endpoint, restsOn !== 'shared overhead'],
    ['stream', ({ target }) => target.stream, true],
    ['load', describeLoad, true],
    ['machine', describeMachine, true],
    ['real-time scheduling', ({ load }) => load.realtime ?? false, true],
    ['seed', ({ load }) => load.seed, false],
    ['requests', ({ load }) => load.requests, false],
    ['duration', ({ load }) => (load.durationS === null ? null : `${load.durationS} s`), false],
    ['timeout', ({ load }) => `${load.timeoutMs} ms`, false],
    ['node', ({ machine }) => machine.node, false],
    ['kt', ({ kt }) => kt.version, false],
    ['interrupted', ({ interrupted }) => interrupted, false],
    ['ended early', ({ aborted }) => aborted !== undefined, false],
  ]
  return aspects.flatMap(([what, read, forbids]) => {
    const [a, b] = [toText(read(baseline)), toText(read(gateway))]
    return a === b ? [] : [{ what, baseline: a, gateway: b, forbids }]
  })
}

/**
 * Requests of two APIs or two models are never the same: then what they ask is compared, where both reports tell it.
 */
function workloadReader(a: Run, b: Run): (report: Run) => string {
  const sent = !comparesEndpoints({ baseline: a, gateway: b }) && a.target.model === b.target.model
  const told = a.load.workload.asked !== undefined && b.load.workload.asked !== undefined
  return ({ load: { workload } }) => {
    const { name, sha256, asked = sha256 } = workload
    return `${name} ${(sent || !told ? sha256 : asked).slice(0, 8)}`
  }
}

function describeLoad({ load, replay }: Run): string {
  if (replay) {
    const { trace, speed, share = 1, fromS = 0, toS } = replay
    const to = toS === undefined ? '' : ` to ${toS} s`
    return `replay of ${trace}, speed ${speed}, share ${share}, from ${fromS} s${to}`
  }
  const shape = load.stages ? `, stages ${JSON.stringify(load.stages.map(({ to, durationS }) => [to, durationS]))}` : ''
  if (load.conversations) {
    const { maxSessions = 'all', think } = load.conversations
    const pace =
      load.mode === 'open' ? `${load.rps} new sessions/s, ${maxSessions} at most` : `${load.concurrency} sessions`
    return `${load.mode}, ${pace}, think time ${think?.medianMs ?? 0} ms (sigma ${think?.sigma ?? 0})`
  }
  if (load.mode === 'open') {
    return `open, ${load.rps} requests/s, ${describeArrivals(load.arrival ?? DEFAULT_ARRIVAL.kind, load)}${shape}`
  }
  const think = load.thinkTimeMs === undefined ? '' : `, think time ${load.thinkTimeMs} ms`
  return `closed, ${load.concurrency} in flight${think}${shape}`
}

function describeMachine({ machine }: Run): string {
  const quota = machine.cgroupCpuQuota === null ? '' : ` (quota ${machine.cgroupCpuQuota})`
  const memory = `${Math.round(machine.memoryBytes / 1024 ** 3)} GiB`
  return `${machine.cpuModel}, ${machine.cores} cores${quota}, ${memory}, ${machine.kernel}`
}

function toText(value: Scalar): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return value === null || value === undefined ? 'none' : String(value)
}

/** A request over a loopback socket, with HTTP parsed on both sides, takes several times as long. */
const FASTEST_MS = 0.02

/** One reading in a thousand below zero is rounding; more of them mean that clocks disagree. */
const MOST_NEGATIVE = 0.001

/** By how much a gateway may read less than its measurement floor before one of the two must be wrong. */
const FLOOR_SHARE = 1.2

const FLOOR_MS = 0.2

/**
 * What is impossible in the figures of two runs, in words: clocks that disagree, answers faster than a network can
 * be, a gateway faster than its floor. Such runs get no verdict. Undefined when nothing is.
 */
export function findTrouble(baseline: Run | undefined, gateway: Run): string | undefined {
  const sides: [string, Run | undefined][] = [
    ['baseline', baseline],
    ['gateway', gateway],
  ]
  for (const [side, report] of sides) {
    const found = report && clockTrouble(side, report)
    if (found !== undefined) return found
  }
  return floorTrouble(baseline, gateway)
}

function clockTrouble(side: string, { latencyMs, overhead }: Run): string | undefined {
  if (latencyMs && latencyMs.p50 < FASTEST_MS) {
    return `clock trouble: half of the ${side}'s requests took under ${FASTEST_MS} ms, which no network can do`
  }
  const below = overhead.find(({ negative, count }) => negative > MOST_NEGATIVE * count)
  if (!below) return undefined
  const { negative, count, definition } = below
  return (
    `clock trouble: ${formatNumber(negative)} ${definition} readings of the ${side} ` +
    `(${formatShare(negative / count)}) lie below zero`
  )
}

/**
 * A request through a gateway cannot be faster than one without it. Then the floor and the gateway met different
 * states of the machine.
 */
function floorTrouble(baseline: Run | undefined, gateway: Run): string | undefined {
  const without = gateway.baseline ?? baseline
  const floor = without?.role === 'direct' ? stamped(without.overhead)?.totalMs.p50 : undefined
  const reading = stamped(gateway.overhead)?.totalMs.p50
  if (floor === undefined || reading === undefined || floor <= reading * FLOOR_SHARE + FLOOR_MS) return undefined
  return (
    `the gateway reads ${formatMs(reading)} ms at P50 and going direct ${formatMs(floor)} ms: it would be ` +
    'faster than its own floor'
  )
}

function stamped(entries: readonly OverheadResult[]): OverheadResult | undefined {
  return entries.find(({ definition }) => definition === 'provider-stamped')
}
