/** One measured run as a calibration sees it, and why a run may be no measure of the traffic that is planned for. */

export interface MeasuredRun {
  label: string
  /** How many workers of the gateway carried it. */
  workers: number
  /** Requests in flight, in a closed loop. */
  concurrency: number | undefined
  stream: boolean
  inputTokensPerSec: number
  outputTokensPerSec: number
  eventsPerSec: number
  bytesPerSec: number
  /** Median gap between token-bearing events. */
  interTokenP50Ms: number | undefined
  failedShare: number
  clientOk: boolean
  /** Standard error of the throughput over its mean. */
  relativeError: number
}

const MAX_TOKENS_PER_EVENT = 1.5
const UNPACED_GAP_MS = 1
const MAX_FAILED = 0.01

/** Why this run cannot calibrate a plan for traffic of which `streamedShare` is streamed; undefined where it can. */
export function unfit(run: MeasuredRun, streamedShare: number): string | undefined {
  if (run.failedShare > MAX_FAILED)
    return `${percent(run.failedShare)} of its requests failed: its throughput is that of failures`
  if (!run.clientOk) return 'the client was saturated: it measured itself and not the gateway'
  if (streamedShare < 0.5) return undefined
  if (!run.stream)
    return 'it was not streamed: a token in a whole answer costs a fraction of one in its own event (plan with --streamed-share 0, or bench with --stream)'
  const perEvent = run.outputTokensPerSec / run.eventsPerSec
  if (perEvent > MAX_TOKENS_PER_EVENT)
    return `its streams are coalesced, ${perEvent.toFixed(1)} tokens an event: paced traffic has one, and costs more`
  if ((run.interTokenP50Ms ?? 0) < UNPACED_GAP_MS) {
    return `its streams are not paced (median gap ${(run.interTokenP50Ms ?? 0).toFixed(2)} ms): many events arrive in one read, which paced traffic never does`
  }
  return undefined
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`
}
