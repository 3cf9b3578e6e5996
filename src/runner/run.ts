/**
 * Runs a plan in a thread of its own, so that progress, signals and the terminal stay off the hot path. The caller hears of
 * progress and may ask for an early end; a thread that dies is a reported failure, never a smaller result.
 */
import { Worker } from 'node:worker_threads'
import type { FromWorker, Progress, RunRecord, ToWorker } from './messages.ts'
import type { RunPlan } from './plan.ts'

export interface RunningPlan {
  /** Sends no more; what is in flight has `drainUs` to end. */
  stop(drainUs: number): void
  result: Promise<RunRecord>
}

export function startRun(plan: RunPlan, onProgress: (progress: Progress) => void): RunningPlan {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`send-thread.${extension}`, import.meta.url), { workerData: plan })
  const result = new Promise<RunRecord>((resolve, reject) => {
    thread.on('message', (message: FromWorker) => {
      if (message.type === 'progress') onProgress(message.progress)
      else resolve(message.record)
    })
    thread.on('error', reject)
    thread.on('exit', (code) => reject(new Error(`the sending thread ended with code ${code} before its result`)))
  })
  const say = (message: ToWorker): void => thread.postMessage(message)
  return { stop: (drainUs) => say({ type: 'stop', drainUs }), result }
}
