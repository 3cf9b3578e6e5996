/**
 * Runs a plan in threads of their own, so that progress, signals, the terminal and the disk stay off the hot path. Several threads
 * begin each stretch of load together and their records become one. The caller hears of progress and may ask for an early end;
 * a thread that dies is a reported failure, never a smaller result.
 */
import { Worker } from 'node:worker_threads'
import { now } from '../system/clock.ts'
import { collectOnlyWhenFull, lowerHelperThreads } from '../system/helper-threads.ts'
import type { StopReason } from './engine.ts'
import { startJitWarmupProvider } from './jit-warmup.ts'
import type { FromSendThread, Progress, RunRecord, ThreadData, ToSendThread } from './merge.ts'
import { mergeProgress, mergeRecords } from './merge.ts'
import type { RunPlan } from './plan.ts'

export interface RunningPlan {
  /** Sends no more; what is in flight has `drainUs` to end. */
  stop(drainUs: number): void
  result: Promise<RunRecord>
}

export interface RunListener {
  progress(progress: Progress): void
  /** So many blocks of each arm are done, with this record: is there need of more? Without it the run goes on to its end. */
  continueAfter?: ((record: RunRecord, blocks: number) => boolean) | undefined
  /** Rows of samples.ts, from the start of the measurement; resolves when they are taken care of. */
  samples?: ((rows: Float64Array, lost: number, startUs: number) => Promise<void>) | undefined
}

/** Threads begin together this long after the last one was ready: longer than a message takes. */
const BEGIN_AFTER_US = 2_000
/**
 * What a request leaves behind dies young. With less room it is looked through more often, each time for some milliseconds in which nothing is sent or
 * seen; with V8's own larger limit a run of a million requests grows by 60 MB instead of 20.
 */
const YOUNG_MB = 48

export async function startRun(plan: RunPlan, listener: RunListener): Promise<RunningPlan> {
  const { workers: count = 1, timeoutUs } = plan
  lowerHelperThreads(count)
  collectOnlyWhenFull()
  const stage = plan.jitWarmup ? await startJitWarmupProvider(plan) : undefined
  const at = stage && { origin: stage.origin, path: stage.path }
  const threads = Array.from({ length: count }, (_, index) =>
    startThread({ plan, worker: { index, count }, stage: at, samples: listener.samples !== undefined }),
  )
  const progress = new Map<number, Progress>()
  const records = new Map<number, RunRecord>()
  const ready = new Set<number>()
  const looks = new Map<number, RunRecord>()
  let writing: Promise<unknown> = Promise.resolve()
  const tell = (message: ToSendThread): void => {
    for (const thread of threads) thread.postMessage(message)
  }
  const beginWhenAllAreReady = (): void => {
    if (ready.size + records.size < count || ready.size === 0) return
    ready.clear()
    tell({ type: 'begin', startUs: now() + BEGIN_AFTER_US })
  }
  const lookWhenAllAreDone = (blocks: number): void => {
    if (looks.size < count) return
    const goOn = listener.continueAfter?.(mergeRecords(inOrder(looks)), blocks) ?? true
    looks.clear()
    tell({ type: 'looked', goOn })
  }

  const result = new Promise<RunRecord>((resolve, reject) => {
    const hear = (index: number, message: FromSendThread): void => {
      if (message.type === 'progress') {
        progress.set(index, message.progress)
        listener.progress(count === 1 ? message.progress : mergeProgress([...progress.values()]))
      } else if (message.type === 'ready') {
        ready.add(index)
        beginWhenAllAreReady()
      } else if (message.type === 'look') {
        looks.set(index, message.record)
        lookWhenAllAreDone(message.blocks)
      } else if (message.type === 'stopping') {
        if (count > 1) stopAll(message.reason, timeoutUs)
      } else if (message.type === 'samples') {
        const { rows, lost, startUs } = message
        const taken = listener.samples?.(rows, lost, startUs).then(() => threads[index]?.postMessage({ type: 'taken' }))
        writing = Promise.all([writing, taken])
      } else {
        records.set(index, message.record)
        beginWhenAllAreReady()
        if (records.size < count) return
        writing.then(() => resolve(mergeRecords(inOrder(records))), reject)
      }
    }
    for (const [index, thread] of threads.entries()) {
      thread.on('message', (message: FromSendThread) => {
        try {
          hear(index, message)
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
  const stopAll = (reason: StopReason, drainUs: number): void => tell({ type: 'stop', reason, drainUs })
  return {
    stop: (drainUs) => stopAll('interrupted', drainUs),
    // Without one of them the others' results are no result.
    result: result
      .catch(async (error) => {
        await Promise.all(threads.map((thread) => thread.terminate()))
        throw error
      })
      .finally(() => stage?.close()),
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
