/**
 * The measurement floor of a run without a direct arm: the same requests, load and connections against a null
 * upstream, which is a simulated provider in its own process on this machine. It holds each request as long as the
 * target did at the median, so that the same number is in flight at the same rate, and stamps that time; the rest is
 * the instrument's own. The floor is measured right after the run for a tenth of its duration, at most two seconds.
 * It is never subtracted, and TLS is not in it.
 */
import { resolveTarget } from '../client/target.ts'
import type { RunPlan } from '../load/plan.ts'
import { startRun } from '../load/run.ts'
import { toMs } from '../report/duration-summary.ts'
import type { Run } from '../report/schema.ts'
import { visibleTokensPerSec } from '../report/token-basis.ts'
import { Histogram } from '../stats/histogram.ts'
import { API_HEADERS } from '../wire/endpoints.ts'
import { singleRequests } from '../workload/workload.ts'
import { startServer } from './embedded.ts'

const SHARE_OF_RUN = 0.1
const LONGEST_S = 2
const SHORTEST_S = 0.5
/** A shorter run would spend more than a tenth of its duration on the floor, so --floor must ask for it. */
export const RUN_WORTH_IT_S = SHORTEST_S / SHARE_OF_RUN
const BLOCKS = 10
const WARMUP = { warmup: 50, warmupUs: 300_000 }
const DRAIN_US = 500_000
const HEADERS = ['content-type', 'accept', 'user-agent', ...API_HEADERS]

type Floor = NonNullable<Run['client']['floorMs']>

/** Whether to measure the floor: as --floor says, otherwise where a budget is judged or the run is long enough. */
export function wantsFloor(report: Run, floor: boolean | undefined, judged: boolean): boolean {
  const { pairing, role, totals, interrupted, aborted, client } = report
  const whole = !interrupted && !aborted && totals.successful > 0
  const possible = pairing === undefined && role !== 'direct' && whole
  return possible && client.floorMs === null && (floor ?? (judged || totals.durationS >= RUN_WORTH_IT_S))
}

/** Null where nothing was answered in time. */
export async function measureFloor(
  plan: RunPlan,
  report: Run,
  note: (line: string) => void,
  interrupt: AbortSignal,
): Promise<Floor | null> {
  const seconds = Math.min(LONGEST_S, Math.max(SHORTEST_S, SHARE_OF_RUN * report.totals.durationS))
  const upstream = await startNullUpstream(plan, toDelayFlags(report), note)
  try {
    const running = await startRun(nullUpstreamPlan(plan, upstream.url, seconds), { progress: () => {} })
    const stop = (): void => running.stop(0)
    if (interrupt.aborted) stop()
    interrupt.addEventListener('abort', stop, { once: true })
    const { arms } = await running.result
    interrupt.removeEventListener('abort', stop)
    const blocks = (arms[0]?.blocks ?? []).map(({ stamped }) => stamped)
    const all = Histogram.merge(blocks.map((block) => Histogram.decode(block)))
    if (all.count === 0) return null
    const [p50, p99] = [toMs(all.quantileUs(0.5)), toMs(all.quantileUs(0.99))]
    return { p50, p99, source: 'null-upstream', count: all.count, blocks }
  } finally {
    await upstream.close()
  }
}

export function startNullUpstream(plan: RunPlan, flags: readonly string[], note: (line: string) => void) {
  const http2 = plan.connection?.http === 'h2' ? ['--http2'] : []
  return startServer(['provider', 'start', '--port', '0', ...http2, ...flags], note, plan.realtime)
}

/** The same load at the null upstream at `url`, instead of the target. */
export function nullUpstreamPlan(plan: RunPlan, url: string, seconds: number): RunPlan {
  const [arm] = plan.arms
  if (!arm) throw new Error('a plan without an arm')
  const { origin, path } = resolveTarget(url, plan.workload)
  const { load, workload, timeoutUs, workers, connection, realtime } = plan
  return {
    arms: [{ ...arm, origin, path, headers: pick(arm.headers, HEADERS) }],
    workload: singleRequests(workload),
    // Instead of stages their highest level, where the instrument has the most to do.
    load: { ...load, stages: undefined },
    requests: undefined,
    durationUs: seconds * 1e6,
    blocks: BLOCKS,
    ...WARMUP,
    timeoutUs,
    drainUs: DRAIN_US,
    connection: connection && { ...connection, ca: undefined, insecure: false },
    workers,
    realtime,
    jitWarmup: plan.jitWarmup,
    tokenBudget: undefined,
  }
}

/**
 * Flags that hold a request as long as the target did at the median; drawn, so that request slots do not synchronise.
 */
function toDelayFlags(report: Run): string[] {
  const { target, serviceMs, ttftMs, interTokenMs } = report
  const whole = serviceMs?.p50 ?? 0
  const [first, gap] = target.stream ? [ttftMs?.p50 ?? whole, interTokenMs?.p50 ?? 0] : [whole, 0]
  const delay = first > 0 ? `lognormal(${first}ms,0.3)` : '0ms'
  return ['--ttft', delay, '--token-gap', `${gap}ms`, ...toTokenFlags(report)]
}

/** Flags that make answers as long as those of the target. */
export function toTokenFlags({ throughput }: Run): string[] {
  const perAnswer = (visibleTokensPerSec(throughput) ?? 0) / Math.max(1e-9, throughput.requestsPerSec)
  return ['--tokens', String(Math.max(1, Math.round(perAnswer)))]
}

function pick(headers: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)))
}
