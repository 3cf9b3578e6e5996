/**
 * Wakes the sending thread at an instant, for the open loop and think times: setTimeout is half a millisecond late at the median, and spinning
 * from one request to the next burns the machine shared with the target. So a thread of its own sleeps on shared memory
 * (wake-thread.ts) until the instant. It wakes some hundredths of a millisecond late: head-start.ts says how much before it is due a request is
 * to be woken for.
 */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../system/clock.ts'

export interface Waker {
  /** Calls back at `atUs` on the host's clock; a later call replaces an earlier one. */
  wakeAt(atUs: number): void
  close(): Promise<void>
}

/** Resolves when the thread runs: what it loads must not compete with the run for file descriptors or time. */
export async function startWaker(clock: Clock, callback: () => void): Promise<Waker> {
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const wake = new Float64Array(new SharedArrayBuffer(8))
  wake[0] = Number.POSITIVE_INFINITY
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`wake-thread.${extension}`, import.meta.url), { workerData: { signal, due: wake } })
  let dueUs = Number.POSITIVE_INFINITY

  const sleepUntil = (atUs: number): void => {
    wake[0] = atUs
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
  }
  await new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
  thread.on('message', () => {
    if (dueUs === Number.POSITIVE_INFINITY) return
    // The thread woke for an earlier due time, and may have cleared this one with it: without another call nobody would wake.
    if (clock() < dueUs) sleepUntil(dueUs)
    else {
      dueUs = Number.POSITIVE_INFINITY
      callback()
    }
  })
  return {
    wakeAt(atUs) {
      if (atUs === dueUs) return
      dueUs = atUs
      sleepUntil(atUs)
    },
    async close() {
      dueUs = Number.POSITIVE_INFINITY
      sleepUntil(Number.NEGATIVE_INFINITY)
      await thread.terminate()
    },
  }
}
