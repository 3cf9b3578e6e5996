/** One measured run as a calibration sees it, and why a run may be no measure of the traffic that is planned for. */
import { formatPercent } from '../../units.ts'

export interface MeasuredRun {
  label: string
  /** The file it stands in: a sweep holds many, of which some may not fit. */
  source: string
  /** How many workers of the gateway carried it. */
  workers: number
  /** Requests in flight, in a closed loop. */
  concurrency: number | undefined
  stream: boolean
  requestsPerSec: number
  inputTokensPerSec: number
  /** Without hidden reasoning, which does not cross the gateway. */
  outputTokensPerSec: number
  /** What the tokens were counted by. */
  countedBy: string
  eventsPerSec: number
  bytesPerSec: number
  /** Median gap between token-bearing events. */
  interTokenP50Ms: number | undefined
  failedShare: number
  clientOk: boolean
  /** Standard error of the throughput over its mean. */
  relativeError: number
  /** Mean of the requests truly in flight, and what the gateway's processes used for them, where kt could read it. */
  inFlight: number | undefined
  gateway: { cpuCores: number; rssBytes: number } | undefined
  /** Whether requests waited for the gateway; undefined where the run does not tell. */
  saturated: boolean | undefined
}

const MAX_TOKENS_PER_EVENT = 1.5
const UNPACED_GAP_MS = 1
export const MAX_FAILED = 0.01
/** A worker is one thread: above this it has nothing left, below it something else was the limit. */
const FULLY_BUSY = 0.9

/** Why this run cannot calibrate a plan for traffic of which `streamedShare` is streamed; undefined where it can. */
export function reasonUnusable(run: MeasuredRun, streamedShare: number): string | undefined {
  if (run.failedShare > MAX_FAILED)
    return `${formatPercent(run.failedShare)} of its requests failed: its throughput is that of failures`
  if (!run.clientOk) return 'the client was saturated: it measured itself and not the gateway'
  if (streamedShare < 0.5) return undefined
  if (!run.stream)
    return (
      'it was not streamed: a token in a whole answer costs a fraction of one in its own event ' +
      '(plan with --streamed-share 0, or bench with --stream)'
    )
  const perEvent = run.outputTokensPerSec / run.eventsPerSec
  if (perEvent > MAX_TOKENS_PER_EVENT)
    return `its streams are coalesced, ${perEvent.toFixed(1)} tokens an event: paced traffic has one, and costs more`
  if ((run.interTokenP50Ms ?? 0) < UNPACED_GAP_MS) {
    const gapMs = (run.interTokenP50Ms ?? 0).toFixed(2)
    return (
      `its streams are not paced (median gap ${gapMs} ms): many events arrive in one read, ` +
      'which paced traffic never does'
    )
  }
  return undefined
}

/** Busy shares below it are mostly what idling and reading them costs. */
export const READABLE = 0.05
/** Below it a worker says little of a full one. */
export const LOADED = 0.3

/** Why these runs of one file say nothing of a full worker: by its CPU, or by whether requests waited for it. */
export function reasonUnloaded(runs: readonly MeasuredRun[]): string | undefined {
  const raise = 'Raise the concurrency'
  const next = `${raise}, or give the sweep --gateway-pid, so that kt reads its CPU`
  const shares = runs.flatMap((run) => busyShare(run) ?? [])
  if (shares.length > 0) {
    const most = Math.max(...shares)
    return most >= READABLE
      ? undefined
      : `its workers were at most ${formatPercent(most)} busy: that is idling, and says nothing of full ones. ${raise}`
  }
  if (runs.some(({ saturated }) => saturated)) return undefined
  return runs.every(({ saturated }) => saturated === undefined)
    ? `whether its workers were busy is not known: the run has no overhead reading and no CPU. ${next}`
    : `its requests did not wait for the gateway: what a full worker passes is not in it. ${next}`
}

/** Busy share of a worker's core, where it was read. */
export function busyShare({ gateway, workers }: MeasuredRun): number | undefined {
  return gateway && gateway.cpuCores > 0 ? gateway.cpuCores / workers : undefined
}

/**
 * Busy share of a worker's core where the workers were not the limit; undefined where they were, or where it is not
 * known. By the utilisation law (U = X x service demand) throughput over it is what they would pass when fully busy, if
 * a token goes on to cost the same.
 */
export function partlyBusy(run: MeasuredRun): number | undefined {
  const busy = busyShare(run)
  return busy !== undefined && busy < FULLY_BUSY ? busy : undefined
}
