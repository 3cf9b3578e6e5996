/**
 * What goes to the targets of a run: the requests that validate it, those that fill a cache, and those that are
 * measured. All of them tell how far they are, and end when the user asks for it.
 */
import type { RunRecord } from '../load/merge.ts'
import { planBeside, type RunPlan } from '../load/plan.ts'
import { type RunListener, startRun } from '../load/run.ts'
import type { LiveView } from '../output/live-view.ts'
import type { Extent, ProgressView } from '../output/progress.ts'
import { formatShare } from '../units.ts'
import { meanTurns } from '../workload/conversations/conversation.ts'
import { poolNumbers, type Repeats } from '../workload/repeats.ts'
import { withoutSecrets } from './config.ts'
import { fitBlocks } from './cut-blocks.ts'
import type { OpenTargets } from './targets.ts'
import { describeFailures, LEARNED_FIELD, learnMaxTokensField, refusedByAll, validatingPlan } from './validate.ts'

const FILLED_AT_ONCE = 4
const DRAIN_AFTER_INTERRUPT_US = 2_000_000

export interface RunHooks {
  /** The words of the command line. */
  argv: readonly string[]
  /** Receives lines for a person during the run; of errors also one who wants to hear of nothing else. */
  note(line: string, isError?: boolean): void
  /** How far the run is, and what it is to do; with `live`, what is known of it by now. */
  progress(view: ProgressView, extent: Extent, live?: () => LiveView): void
  /** Whether somebody looks at the run while it goes on. */
  live?: boolean
  /** Aborted when the user asks the run to end. */
  interrupt: AbortSignal
  /** Aborted when the user asks again: requests in flight are abandoned, and the measurement so far is kept. */
  hurry?: AbortSignal
}

/**
 * Over all arms: how far a run is follows from that. An open loop sends so many a second, and waits for the last
 * answers of each block on top of its duration, so that its requests tell more than its time.
 */
export function extentOf({ arms, requests: asked, durationUs, load, workload: { conversations } }: RunPlan): Extent {
  const count = arms.length
  const requests = asked && conversations ? Math.round(asked * meanTurns(conversations)) : asked
  const steady = load.mode === 'open' && !load.stages && !load.trace && !conversations ? load.rps : undefined
  const due = steady && durationUs ? Math.round((steady * durationUs) / 1e6) : undefined
  const each = due === undefined ? requests : Math.min(due, requests ?? due)
  return {
    arms: arms.map(({ name }) => name),
    requests: each === undefined ? undefined : each * count,
    durationMs: durationUs === undefined || each !== undefined ? undefined : (durationUs / 1_000) * count,
  }
}

/** Sends the validating requests, again where the first ones taught how; the plan as it is to be sent then. */
export async function validate(
  plan: RunPlan,
  urls: readonly string[],
  secrets: readonly string[],
  hooks: RunHooks,
  fleet: OpenTargets['fleet'],
): Promise<{ plan: RunPlan; records: RunRecord[] }> {
  const progress: RunListener['progress'] = (heard) => hooks.progress({ ...heard, phase: 'validating' }, extentOf(plan))
  const record = refusedByAll(plan, await send(validatingPlan(plan), hooks, fleet, { progress }))
  const maxTokensField = learnMaxTokensField(plan, record)
  if (maxTokensField) {
    hooks.note(LEARNED_FIELD)
    const taught = { ...plan, workload: { ...plan.workload, maxTokensField } }
    const again = await validate(taught, urls, secrets, hooks, fleet)
    return { ...again, records: [record, ...again.records] }
  }
  for (const line of describeFailures(plan, record, urls)) hooks.note(withoutSecrets(line, secrets))
  return { plan: fitBlocks(plan, record, hooks.note), records: [record] }
}

/** Sends the requests that others will repeat, once to each arm; they are in no figure. */
export function fillCache(
  plan: RunPlan,
  repeats: Repeats,
  hooks: RunHooks,
  fleet: OpenTargets['fleet'],
): Promise<RunRecord> {
  hooks.note(
    `${repeats.pool} requests go ahead to each address: ${formatShare(repeats.share)} of the run repeat one of them.`,
  )
  const asked = plan.load.mode === 'closed' ? plan.load.concurrency : FILLED_AT_ONCE
  const beside = planBeside(plan, plan.arms, repeats.pool, Math.min(asked, FILLED_AT_ONCE))
  return send({ ...beside, only: poolNumbers(repeats) }, hooks, fleet, {
    progress: (progress) => hooks.progress({ ...progress, phase: 'warm-up' }, extentOf(plan)),
  })
}

/** Sends what the plan asks for, or what the user's interrupts leave of it. */
export async function send(
  plan: RunPlan,
  { interrupt, hurry }: RunHooks,
  fleet: OpenTargets['fleet'],
  listener: RunListener,
): Promise<RunRecord> {
  const running = await startRun(plan, listener, fleet?.start)
  const stop = (): void => running.stop(DRAIN_AFTER_INTERRUPT_US)
  const stopNow = (): void => running.stop(0)
  if (interrupt.aborted) stop()
  else interrupt.addEventListener('abort', stop, { once: true })
  hurry?.addEventListener('abort', stopNow, { once: true })
  try {
    return await running.result
  } finally {
    interrupt.removeEventListener('abort', stop)
    hurry?.removeEventListener('abort', stopNow)
  }
}
