/**
 * Runs a plan in threads of their own, so that progress, signals, the terminal and the disk stay off the hot path.
 * Several threads begin each load phase together, and their records become one. The caller hears of progress and may
 * ask for an early end. A thread that dies is a reported failure, never a smaller result.
 */
import { Worker } from 'node:worker_threads'
import type { BlockMetric } from '../slo/metrics.ts'
import { now } from '../system/clock.ts'
import {
  collectOnlyWhenFull,
  collectWithoutHelpers,
  keepDoublesApart,
  lowerHelperThreads,
  preferHelperThreads,
  v8FlagsSet,
} from '../system/helper-threads.ts'
import { type Abort, findAbort } from './abort-watch.ts'
import type { ToldBlock } from './finished-blocks.ts'
import { type JitWarmupAddress, startJitWarmupProvider } from './jit-warmup.ts'
import type { StopReason } from './limits.ts'
import { mergeProgress, mergeRecords, type Progress, type RunRecord, type RuntimeSettings } from './merge.ts'
import type { WorkerShare } from './pacing.ts'
import type { RunPlan } from './plan.ts'

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

/** What a sending thread is started with; plain data. */
export interface ThreadData {
  plan: RunPlan
  worker: WorkerShare
  /** The provider of the JIT warm-up; undefined where there is no such warm-up. */
  jitWarmup: JitWarmupAddress | undefined
  /** Whether to hand over the times of every request. */
  samples: boolean
  /** The metrics to be told of each block that is over; undefined where nobody looks. */
  live: readonly BlockMetric[] | undefined
  /** What is set for the whole process. */
  settings: Omit<RuntimeSettings, 'fifoPriority'>
}

export type FromSendThread =
  /** Ready for the next load phase; threads that share a run begin it together. */
  | { type: 'ready' }
  | { type: 'progress'; progress: Progress }
  | { type: 'blocks'; blocks: ToldBlock[] }
  /** Times of requests (samples.ts), and how many before them were lost because the reader was too slow. */
  | { type: 'samples'; rows: Float64Array; lost: number; startUs: number }
  /** `blocks` blocks of each arm are done: the thread waits for `interim-done`. */
  | { type: 'interim'; blocks: number; record: RunRecord }
  /** The thread stops by itself: the others must stop too. */
  | { type: 'stopping'; reason: StopReason }
  /** A target told this thread to wait, and the others must do so too. */
  | { type: 'held'; arm: number; untilUs: number }
  | { type: 'done'; record: RunRecord }

export type ToSendThread =
  | { type: 'begin'; startUs: number }
  /** The result of an interim analysis. */
  | { type: 'interim-done'; goOn: boolean }
  | { type: 'hold'; arm: number; untilUs: number }
  | { type: 'stop'; reason: StopReason; drainUs: number }
  /** A batch of samples was taken care of. */
  | { type: 'taken' }

/** Threads begin together this long after the last one was ready: longer than a message takes. */
const BEGIN_AFTER_US = 2_000
/**
 * The objects of a request die young. With a smaller young generation it is collected more often, each time for some
 * milliseconds in which nothing is sent or seen; with V8's own larger limit a run of a million requests grows by 60 MB
 * instead of 20.
 */
const YOUNG_MB = 48

/** Requests in flight have as long when a condition ends the run. */
const DRAIN_AFTER_ABORT_US = 2_000_000

export async function startRun(plan: RunPlan, listener: RunListener): Promise<RunningPlan> {
  const { workers: count = 1, timeoutUs, realtime } = plan
  const helperThreadsNice = realtime ? preferHelperThreads() : lowerHelperThreads(count)
  collectOnlyWhenFull()
  keepDoublesApart()
  if (realtime) collectWithoutHelpers()
  const settings = { v8Flags: v8FlagsSet(), youngGenerationMb: YOUNG_MB, helperThreadsNice }
  const warmup = plan.jitWarmup ? await startJitWarmupProvider(plan) : undefined
  const jitWarmup = warmup && { origin: warmup.origin, path: warmup.path }
  const threads = Array.from({ length: count }, (_, index) =>
    startThread({
      ...{ plan, jitWarmup, settings },
      worker: { index, count },
      samples: listener.samples !== undefined,
      live: listener.live?.metrics,
    }),
  )
  const progress = new Map<number, Progress>()
  const records = new Map<number, RunRecord>()
  const ready = new Set<number>()
  const interim = new Map<number, RunRecord>()
  let writing: Promise<unknown> = Promise.resolve()
  let abort: Abort | undefined
  const postToAll = (message: ToSendThread): void => {
    for (const thread of threads) thread.postMessage(message)
  }
  const beginWhenAllAreReady = (): void => {
    if (ready.size + records.size < count || ready.size === 0) return
    ready.clear()
    postToAll({ type: 'begin', startUs: now() + BEGIN_AFTER_US })
  }
  const analyseWhenAllAreDone = (blocks: number): void => {
    if (interim.size < count) return
    const goOn = listener.continueAfter?.(mergeRecords(inOrder(interim)), blocks) ?? true
    interim.clear()
    postToAll({ type: 'interim-done', goOn })
  }

  const abortWhenHopeless = ({ watched }: Progress): void => {
    abort = findAbort(plan.abortOn ?? [], watched)
    if (abort) stopAll('abort-on', DRAIN_AFTER_ABORT_US)
  }

  // A run that was over by then has all its requests.
  const withAbort = (record: RunRecord): RunRecord => (record.stopReason === 'abort-on' ? { ...record, abort } : record)

  const result = new Promise<RunRecord>((resolve, reject) => {
    const handle = (index: number, message: FromSendThread): void => {
      switch (message.type) {
        case 'progress': {
          progress.set(index, message.progress)
          const all = count === 1 ? message.progress : mergeProgress([...progress.values()])
          listener.progress(all)
          if (!abort) abortWhenHopeless(all)
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
          interim.set(index, message.record)
          analyseWhenAllAreDone(message.blocks)
          break
        case 'stopping':
          if (count > 1) stopAll(message.reason, timeoutUs)
          break
        case 'held':
          if (count > 1) postToAll({ ...message, type: 'hold' })
          break
        case 'samples': {
          const { rows, lost, startUs } = message
          const written = listener.samples?.(rows, lost, startUs)
          const taken = written?.then(() => threads[index]?.postMessage({ type: 'taken' }))
          writing = Promise.all([writing, taken])
          break
        }
        case 'done':
          records.set(index, message.record)
          beginWhenAllAreReady()
          if (records.size < count) return
          writing.then(() => resolve(withAbort(mergeRecords(inOrder(records)))), reject)
          break
        default:
          message satisfies never
      }
    }
    for (const [index, thread] of threads.entries()) {
      thread.on('message', (message: FromSendThread) => {
        try {
          handle(index, message)
        } catch (error) {
          reject(error)
        }
      })
      thread.on('error', reject)
      thread.on('exit', (code) => {
        if (!records.has(index)) reject(new Error(`a sending thread ended with code ${code} before its result`))
      })
    }
  })
  const stopAll = (reason: StopReason, drainUs: number): void => postToAll({ type: 'stop', reason, drainUs })
  return {
    stop: (drainUs) => stopAll('interrupted', drainUs),
    // The results of the other threads alone are not the result of the run.
    result: result
      .catch(async (error) => {
        await Promise.all(threads.map((thread) => thread.terminate()))
        throw error
      })
      .finally(() => warmup?.close()),
  }
}

function inOrder(records: ReadonlyMap<number, RunRecord>): RunRecord[] {
  return [...records].sort(([a], [b]) => a - b).map(([, record]) => record)
}

function startThread(workerData: ThreadData): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB }
  return new Worker(new URL(`send-thread.${extension}`, import.meta.url), { workerData, resourceLimits })
}
