/**
 * How late a thread wakes that asks to sleep for two milliseconds: what a busy machine does to every thread, measured
 * where the kernel does not tell it. The thread adds up what exceeds the sleep's usual error in shared memory.
 */
import { Worker } from 'node:worker_threads'

/** How long threads were ready and not running. */
export interface Waited {
  /** Sum of all waits so far, in microseconds. */
  waitUs: number
  /** The longest of one thread since the reading before. */
  longestUs: number
}

export interface Probe {
  read(): Waited
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
  let beforeUs = 0
  return {
    read() {
      const waitUs = late[0] ?? 0
      const longestUs = waitUs - beforeUs
      beforeUs = waitUs
      return { waitUs, longestUs }
    },
    end: () => void thread.terminate(),
  }
}
