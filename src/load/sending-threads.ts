/**
 * Sending threads: senders in threads of this process, so that progress, signals, the terminal and the disk stay off
 * the hot path. A thread that dies is a reported failure, never a smaller result. A fleet worker has one such thread.
 */
import { Worker } from 'node:worker_threads'
import type { BlockMetric } from '../slo/metrics.ts'
import {
  collectOnlyWhenFull,
  collectWithoutHelpers,
  keepDoublesApart,
  lowerHelperThreads,
  preferHelperThreads,
  v8FlagsSet,
} from '../system/helper-threads.ts'
import type { JitWarmupAddress } from './jit-warmup.ts'
import { startJitWarmupProvider } from './jit-warmup-provider.ts'
import type { RuntimeSettings } from './merge.ts'
import type { WorkerShare } from './pacing.ts'
import type { RunPlan } from './plan.ts'
import type { FromSender, HeardOfSenders, Senders, SendersJob, ToSender } from './senders.ts'

/** What a sending thread is started with; plain data. */
export interface ThreadData {
  plan: RunPlan
  worker: WorkerShare
  /** The provider of the JIT warm-up; undefined where there is no such warm-up. */
  jitWarmup: JitWarmupAddress | undefined
  samples: boolean
  live: readonly BlockMetric[] | undefined
  /** What is set for the whole process. */
  settings: Omit<RuntimeSettings, 'fifoPriority'>
}

/** Threads begin together this long after the last one was ready: longer than a message takes. */
const BEGIN_AFTER_US = 2_000
/**
 * The objects of a request die young. With a smaller young generation it is collected more often, each time for some
 * milliseconds in which nothing is sent or seen; with V8's own larger limit a run of a million requests grows by 60 MB
 * instead of 20.
 */
const YOUNG_MB = 48

/** A thread for each share of the plan: as many as the plan says, or those that are given. */
export async function startSendingThreads(
  { plan, ...told }: SendersJob,
  heard: HeardOfSenders,
  shares: readonly WorkerShare[] = sharesOf(plan.workers ?? 1),
): Promise<Senders> {
  const { realtime } = plan
  const count = shares.length
  const helperThreadsNice = realtime ? preferHelperThreads() : lowerHelperThreads(count)
  collectOnlyWhenFull()
  keepDoublesApart()
  if (realtime) collectWithoutHelpers()
  const settings = { v8Flags: v8FlagsSet(), youngGenerationMb: YOUNG_MB, helperThreadsNice }
  const warmup = plan.jitWarmup ? await startJitWarmupProvider(plan) : undefined
  const jitWarmup = warmup && { origin: warmup.origin, path: warmup.path, paths: warmup.paths }
  const threads = shares.map((worker) => startThread({ plan, worker, jitWarmup, settings, ...told }))
  const over = new Set<number>()
  for (const [index, thread] of threads.entries()) {
    thread.on('message', (message: FromSender) => {
      if (message.type === 'done') over.add(index)
      heard.message(index, message)
    })
    thread.on('error', heard.failed)
    thread.on('exit', (code) => {
      if (!over.has(index)) heard.failed(new Error(`a sending thread ended with code ${code} before its result`))
    })
  }
  return {
    count,
    beginAfterUs: BEGIN_AFTER_US,
    post(message: ToSender, index?: number): void {
      const to = index === undefined ? threads : threads.slice(index, index + 1)
      for (const thread of to) thread.postMessage(message)
    },
    // The results of the other threads alone are not the result of the run.
    abandon: () => Promise.all(threads.map((thread) => thread.terminate())),
    close: async () => warmup?.close(),
  }
}

function sharesOf(count: number): WorkerShare[] {
  return Array.from({ length: count }, (_, index) => ({ index, count }))
}

function startThread(workerData: ThreadData): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB }
  return new Worker(new URL(`send-thread.${extension}`, import.meta.url), { workerData, resourceLimits })
}
