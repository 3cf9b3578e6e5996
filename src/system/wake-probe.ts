/**
 * How late a thread wakes that asks to sleep for two milliseconds: what a busy machine does to every thread, measured
 * where the kernel does not tell it. The thread adds up what exceeds the sleep's usual error in shared memory.
 */
import { Worker } from 'node:worker_threads'

export interface Probe {
  /** Sum of all lateness so far, in microseconds. */
  lateUs(): number
  end(): void
}

/** Resolves when the thread runs. */
export async function startProbe(): Promise<Probe> {
  const late = new Float64Array(new SharedArrayBuffer(8))
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`wake-probe-thread.${extension}`, import.meta.url), { workerData: { late } })
  await new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
  thread.unref()
  return {
    lateUs: () => late[0] ?? 0,
    end: () => void thread.terminate(),
  }
}
