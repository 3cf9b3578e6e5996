/**
 * Runs a plan with several senders: threads of this process, or the workers of a fleet (senders.ts). They begin each
 * load phase together, and their records become one. The caller hears of progress and may ask for an early end.
 */
import type { BlockMetric } from '../slo/metrics.ts'
import { now } from '../system/clock.ts'
import { type Abort, findAbort } from './abort-watch.ts'
import { addAll } from './add-up.ts'
import type { ToldBlock } from './finished-blocks.ts'
import type { StopReason } from './limits.ts'
import { type Progress, progressSum, type RunRecord, recordSum } from './merge.ts'
import type { RunPlan } from './plan.ts'
import type { FromSender, StartSenders } from './senders.ts'
import { startSendingThreads } from './sending-threads.ts'

interface RunningPlan {
  /** Sends nothing more; requests in flight have `drainUs` to end. */
  stop(drainUs: number): void
  result: Promise<RunRecord>
}

export interface RunListener {
  progress(progress: Progress): void
  /**
   * An interim analysis: `blocks` blocks of each arm are done, with this record so far. Returns whether the run goes
   * on. Without this listener the run goes on to its end.
   */
  continueAfter?: ((record: RunRecord, blocks: number) => boolean) | undefined
  /** Arms that are found dead by other means than their requests; asked about four times a second. */
  dead?: (() => readonly { arm: number; why: string }[]) | undefined
  /** An arm is out of the run; told once. */
  dropped?: ((arm: number, why: string) => void) | undefined
  /** For a view of the run while it goes on: blocks that are over, about once a second. */
  live?: LiveListener | undefined
  /** Rows of samples.ts, from the start of the measurement; resolves when they are taken care of. */
  samples?: ((rows: Float64Array, lost: number, startUs: number) => Promise<void>) | undefined
}

export interface LiveListener {
  /** The metrics of blocks that it needs. */
  metrics: readonly BlockMetric[]
  /** Of one thread of the run. */
  blocks(blocks: readonly ToldBlock[], thread: number): void
}

/** Requests in flight have as long when a condition ends the run, or a sender is lost. */
const DRAIN_AFTER_ABORT_US = 2_000_000

export async function startRun(
  plan: RunPlan,
  listener: RunListener,
  start: StartSenders = startSendingThreads,
): Promise<RunningPlan> {
  const { timeoutUs } = plan
  const progress = new Map<number, Progress>()
  const done = new Set<number>()
  const records = recordSum()
  const ready = new Set<number>()
  const analysed = new Set<number>()
  let interim = recordSum()
  const lost = new Set<number>()
  let writing: Promise<unknown> = Promise.resolve()
  /** Messages of progress since the last one that was told. */
  let untold = 0
  let abort: Abort | undefined
  const { promise, resolve, reject } = Promise.withResolvers<RunRecord>()

  /** Whether every sender that is still there is among these. */
  const areAll = (known: { has(index: number): boolean }): boolean => {
    for (let index = 0; index < senders.count; index++) {
      if (!known.has(index) && !lost.has(index)) return false
    }
    return true
  }
  const beginWhenAllAreReady = (): void => {
    if (ready.size === 0 || !areAll({ has: (index) => ready.has(index) || done.has(index) })) return
    ready.clear()
    senders.post({ type: 'begin', startUs: now() + senders.beginAfterUs })
  }
  const analyseWhenAllAreDone = (blocks: number): void => {
    if (!areAll(analysed)) return
    const goOn = listener.continueAfter?.(interim.total(), blocks) ?? true
    analysed.clear()
    interim = recordSum()
    senders.post({ type: 'interim-done', goOn })
  }
  const endWhenAllAreDone = (): void => {
    if (!areAll(done) || done.size === 0) return
    writing.then(() => resolve(withAbort(records.total()))).catch(reject)
  }
  const abortWhenHopeless = ({ watched }: Progress): void => {
    abort = findAbort(plan.abortOn ?? [], watched)
    if (abort) stopAll('abort-on', DRAIN_AFTER_ABORT_US)
  }

  const dropped = new Set<number>()
  const dropArm = (arm: number, why: string): void => {
    if (dropped.has(arm)) return
    dropped.add(arm)
    listener.dropped?.(arm, why)
    senders.post({ type: 'drop', arm, why })
  }

  // A run that was over by then has all its requests.
  const withAbort = (record: RunRecord): RunRecord => (record.stopReason === 'abort-on' ? { ...record, abort } : record)
  const stopAll = (reason: StopReason, drainUs: number): void => senders.post({ type: 'stop', reason, drainUs })

  const handle = (index: number, message: FromSender): void => {
    const { count } = senders
    switch (message.type) {
      case 'progress': {
        progress.set(index, message.progress)
        // Once for all senders: to add them up at each message would cost the square of their number.
        if (++untold < progress.size) break
        untold = 0
        const all = count === 1 ? message.progress : addAll(progressSum, [...progress.values()])
        listener.progress(all)
        if (!abort) abortWhenHopeless(all)
        for (const { arm, why } of listener.dead?.() ?? []) dropArm(arm, why)
        break
      }
      case 'blocks':
        listener.live?.blocks(message.blocks, index)
        break
      case 'ready':
        ready.add(index)
        beginWhenAllAreReady()
        break
      case 'interim':
        analysed.add(index)
        interim.add(message.record, index)
        analyseWhenAllAreDone(message.blocks)
        break
      case 'stopping':
        if (count > 1) stopAll(message.reason, timeoutUs)
        break
      case 'held':
        if (count > 1) senders.post({ ...message, type: 'hold' })
        break
      case 'dropped':
        dropArm(message.arm, message.why)
        break
      case 'samples': {
        const { rows, lost: unwritten, startUs } = message
        const written = listener.samples?.(rows, unwritten, startUs)
        const taken = written?.then(() => senders.post({ type: 'taken' }, index))
        writing = Promise.all([writing, taken])
        break
      }
      case 'done':
        done.add(index)
        records.add(message.record, index)
        beginWhenAllAreReady()
        endWhenAllAreDone()
        break
      default:
        message satisfies never
    }
  }
  const senders = await start(
    { plan, samples: listener.samples !== undefined, live: listener.live?.metrics },
    {
      message(index, message) {
        try {
          handle(index, message)
        } catch (error) {
          reject(error)
        }
      },
      lost(index) {
        lost.add(index)
        stopAll('sender-lost', DRAIN_AFTER_ABORT_US)
        endWhenAllAreDone()
      },
      failed: reject,
    },
  )
  return {
    stop: (drainUs) => stopAll('interrupted', drainUs),
    result: promise
      .catch(async (error) => {
        await senders.abandon()
        throw error
      })
      .finally(() => senders.close()),
  }
}
