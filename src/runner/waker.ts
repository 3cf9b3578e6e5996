/**
 * Wakes the sending thread at an instant, for the open loop: setTimeout is half a millisecond late at the median and spinning
 * burns the machine shared with the target, so a thread of its own sleeps on shared memory (wake-thread.ts).
 */
import { Worker } from 'node:worker_threads'

export interface Waker {
  /** Calls back at `atUs` on the host's clock; a later call replaces an earlier one. */
  wakeAt(atUs: number): void
  close(): Promise<void>
}

export function startWaker(callback: () => void): Waker {
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const due = new Float64Array(new SharedArrayBuffer(8))
  due[0] = Number.POSITIVE_INFINITY
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`wake-thread.${extension}`, import.meta.url), { workerData: { signal, due } })
  thread.on('message', callback)
  const set = (atUs: number): void => {
    due[0] = atUs
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
  }
  return {
    wakeAt: set,
    async close() {
      set(Number.NEGATIVE_INFINITY)
      await thread.terminate()
    },
  }
}
