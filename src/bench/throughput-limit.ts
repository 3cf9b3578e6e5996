/**
 * What limited the throughput of a closed loop. A closed loop sends as fast as answers come, so its throughput is the
 * target's only where kt could have sent more. Two things say so: the share of the time in which the busiest sending
 * thread was busy, and a probe right after the run, which sends the same requests with the same threads to a null
 * upstream for a fraction of a second. The probe is in no figure. What its threads sent, divided by the share of the
 * time in which they were busy, is what they can send: the null upstream itself may be slower than they are.
 */
import type { Fleet } from '../load/fleet/coordinator.ts'
import type { RunPlan } from '../load/plan.ts'
import type { Run } from '../report/schema.ts'
import type { Threshold } from '../slo/threshold.ts'
import { RUN_WORTH_IT_S, runAtNullUpstream, toTokenFlags } from './floor.ts'

const PROBE_S = 0.4
const AT_ONCE = ['--ttft', '0ms', '--token-gap', '0ms']
/** From this share of the time on, or of what it can send, kt was the limit. */
const OWN_LIMIT = 0.9
const CAPACITY_LIMIT = 0.8
/** Below it nothing else needs to be known. */
const IDLE = 0.5

export type ThroughputLimit = NonNullable<Run['client']['throughputLimit']>

/** Undefined for an open loop and for users that pause or change in number: their rate is asked for. */
export async function findThroughputLimit(
  plan: RunPlan,
  run: Run,
  thresholds: readonly Threshold[],
  note: (line: string) => void,
  interrupt: AbortSignal,
  fleet?: Fleet,
): Promise<ThroughputLimit | undefined> {
  const { load } = plan
  const { totals, interrupted, aborted, client } = run
  if (load.mode !== 'closed' || load.stages || load.thinkUs !== undefined) return undefined
  if (totals.successful === 0) return undefined
  const claimed = thresholds.some(({ metric }) => metric.startsWith('throughput.'))
  const probed =
    !interrupted && !aborted && !run.fleet?.faults.length && (claimed || totals.durationS >= RUN_WORTH_IT_S)
  const capacityPerSec = probed ? await probe(plan, run, note, interrupt, fleet) : null
  return judgeLimit(client.eventLoopUtilization, sentPerSec(run), capacityPerSec)
}

/** The probe is short, on threads that are cold: what the run itself sent shows no less, in the share that it took. */
export function judgeLimit(ownShare: number, perSec: number, probedPerSec: number | null): ThroughputLimit {
  const shownPerSec = ownShare > 0 ? Math.round(perSec / Math.min(1, ownShare)) : 0
  const capacityPerSec = probedPerSec === null ? null : Math.max(probedPerSec, shownPerSec)
  const used = capacityPerSec === null ? null : perSec / capacityPerSec
  const isOwn = ownShare >= OWN_LIMIT || (used !== null && used >= CAPACITY_LIMIT)
  const by = isOwn ? 'client' : used !== null || ownShare < IDLE ? 'target' : 'unknown'
  return { by, ownShare, capacityPerSec }
}

/** By request both arms are under load at once; in turns each has the threads for itself. */
function sentPerSec({ pairing, throughput, baseline }: Run): number {
  const others = pairing === 'request' ? (baseline?.throughput.requestsPerSec ?? 0) : 0
  return throughput.requestsPerSec + others
}

/** Requests a second that the sending threads can send; null where nothing was answered in time. */
async function probe(
  plan: RunPlan,
  run: Run,
  note: (line: string) => void,
  interrupt: AbortSignal,
  fleet: Fleet | undefined,
): Promise<number | null> {
  const flags = [...AT_ONCE, ...toTokenFlags(run)]
  const record = await runAtNullUpstream(plan, flags, PROBE_S, { note, interrupt, fleet })
  if (!record) return null
  const { arms, self, workers } = record
  const [arm] = arms
  const answers = arm?.outcomes.OK ?? 0
  if (!arm || answers === 0 || arm.activeUs === 0) return null
  const busy = (workers.length > 0 ? workers : [self]).map(({ eventLoopUtilization }) => eventLoopUtilization)
  const meanBusy = busy.reduce((sum, share) => sum + share, 0) / busy.length
  return meanBusy > 0 ? Math.round((answers / arm.activeUs / meanBusy) * 1e6) : null
}
