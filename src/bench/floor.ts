/**
 * The measurement floor of a run without a direct arm: the same requests, load and connections against a null
 * upstream, which is a simulated provider in its own process on this machine. It holds each request as long as the
 * target did at the median, so that the same number is in flight at the same rate, and stamps that time; the rest is
 * the instrument's own. The floor is measured right after the run for a tenth of its duration, at most two seconds.
 * It is never subtracted, and TLS is not in it.
 */
import { resolveTarget } from '../client/target.ts'
import { UserError } from '../errors.ts'
import type { Fleet } from '../load/fleet/coordinator.ts'
import type { Member } from '../load/fleet/members.ts'
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { startRun } from '../load/run.ts'
import type { StartSenders } from '../load/senders.ts'
import { toMs } from '../report/duration-summary.ts'
import { writeHistogram } from '../report/histogram-text.ts'
import type { BenchReport, Run } from '../report/schema.ts'
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

/** In a plan for a fleet, whose workers put in the address of their own. */
const ITS_OWN = 'http://127.0.0.1:1'

type Floor = NonNullable<Run['client']['floorMs']>

/** Whether to measure the floor: as --floor says, otherwise where a budget is judged or the run is long enough. */
export function wantsFloor(report: Run, floor: boolean | undefined, judged: boolean): boolean {
  const { pairing, role, totals, interrupted, aborted, client, fleet } = report
  const whole = !interrupted && !aborted && !fleet?.faults.length && totals.successful > 0
  const possible = pairing === undefined && role !== 'direct' && whole
  return possible && client.floorMs === null && (floor ?? (judged || totals.durationS >= RUN_WORTH_IT_S))
}

/** Null where nothing was answered in time. */
export async function measureFloor(
  plan: RunPlan,
  report: Run,
  note: (line: string) => void,
  interrupt: AbortSignal,
  fleet?: Fleet,
): Promise<Floor | null> {
  const seconds = Math.min(LONGEST_S, Math.max(SHORTEST_S, SHARE_OF_RUN * report.totals.durationS))
  const asked = withoutTrace(plan, report)
  const record = await runAtNullUpstream(asked, toDelayFlags(report), seconds, { note, interrupt, fleet })
  const blocks = (record?.arms[0]?.blocks ?? []).map(({ stamped }) => Histogram.unpack(stamped))
  const all = Histogram.merge(blocks)
  if (all.count === 0) return null
  const [p50, p99] = [toMs(all.quantileUs(0.5)), toMs(all.quantileUs(0.99))]
  return { p50, p99, source: 'null-upstream', count: all.count, blocks: blocks.map(writeHistogram) }
}

/** Of a trace the first rows are gone, or far apart: requests of its sizes come at the rate that was kept. */
function withoutTrace(plan: RunPlan, { throughput }: Run): RunPlan {
  const { load } = plan
  if (load.mode !== 'open' || !load.trace) return plan
  return { ...plan, load: { ...load, rps: throughput.requestsPerSec, trace: undefined } }
}

/** The floor of each worker, from the run at their null upstreams. */
export function addFloors({ workers }: NonNullable<BenchReport['fleet']>, members: readonly Member[]): void {
  for (const [i, worker] of workers.entries()) {
    const stamped = members[i]?.told?.stamped
    const floor = stamped && Histogram.unpack(stamped)
    if (floor && floor.count > 0) {
      worker.floorMs = { p50: toMs(floor.quantileUs(0.5)), p99: toMs(floor.quantileUs(0.99)) }
    }
  }
}

interface Instrument {
  note(line: string): void
  interrupt: AbortSignal
  /** Whose workers send, each to a null upstream of its own. */
  fleet: Fleet | undefined
}

/** The same requests, for so long, to a null upstream with these flags; undefined where a fleet is lost meanwhile. */
export async function runAtNullUpstream(
  plan: RunPlan,
  flags: readonly string[],
  seconds: number,
  { note, interrupt, fleet }: Instrument,
): Promise<RunRecord | undefined> {
  const all = [...(plan.connection?.http === 'h2' ? ['--http2'] : []), ...flags]
  const start: StartSenders | undefined = fleet && ((job, heard) => fleet.start({ ...job, upstream: all }, heard))
  const upstream = fleet ? undefined : await startNullUpstream(all, note, plan.realtime)
  try {
    const own = nullUpstreamPlan(plan, upstream?.url ?? ITS_OWN, seconds)
    const running = await startRun(own, { progress: () => {} }, start)
    const stop = (): void => running.stop(0)
    if (interrupt.aborted) stop()
    interrupt.addEventListener('abort', stop, { once: true })
    return await running.result.finally(() => interrupt.removeEventListener('abort', stop))
  } catch (error) {
    // What was measured before is worth its report.
    if (!fleet || !(error instanceof UserError)) throw error
    note(error.message)
    return undefined
  } finally {
    await upstream?.close()
  }
}

export function startNullUpstream(flags: readonly string[], note: (line: string) => void, realtime?: boolean) {
  return startServer(['provider', 'start', '--port', '0', ...flags], note, realtime)
}

/** The same load at the null upstream at `url`, instead of the target. */
function nullUpstreamPlan(plan: RunPlan, url: string, seconds: number): RunPlan {
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
