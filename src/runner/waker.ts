/**
 * Wakes the sending thread at an instant, for the open loop: setTimeout is half a millisecond late at the median, and spinning
 * from one request to the next burns the machine shared with the target. So a thread of its own sleeps on shared memory
 * (wake-thread.ts) until a little before the instant; the rest, learnt from how late it was so far, is spun away.
 */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../system/clock.ts'

export interface Waker {
  /** Calls back at `atUs` on the host's clock; a later call replaces an earlier one. */
  wakeAt(atUs: number): void
  close(): Promise<void>
}

/** The lead grows fast when a wake came late and shrinks slowly when it came early: about four of five come early. */
const LEAD_UP_US = 16
const LEAD_DOWN_US = 4
/** The most that is spun away for one request, and the most of all time: the machine is shared with the target. */
const LEAD_MAX_US = 400
const LEAD_MAX_SHARE = 0.05

/** Resolves when the thread runs: what it loads must not compete with the run for file descriptors or time. */
export async function startWaker(clock: Clock, callback: () => void): Promise<Waker> {
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const wake = new Float64Array(new SharedArrayBuffer(8))
  wake[0] = Number.POSITIVE_INFINITY
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`wake-thread.${extension}`, import.meta.url), { workerData: { signal, due: wake } })
  let dueUs = Number.POSITIVE_INFINITY
  let lastDueUs = Number.NaN
  let leadUs = 100
  let leadMaxUs = 100

  const sleepUntil = (atUs: number): void => {
    wake[0] = atUs
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
  }
  const ring = (): void => {
    const leftUs = dueUs - clock()
    // The thread woke for an earlier due time, and may have cleared this one with it: without another call nobody would wake.
    if (leftUs > leadMaxUs) sleepUntil(dueUs - leadUs)
    else if (leftUs > 0) setImmediate(ring)
    else {
      dueUs = Number.POSITIVE_INFINITY
      callback()
    }
  }
  await new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
  thread.on('message', () => {
    if (dueUs === Number.POSITIVE_INFINITY) return
    leadUs = clock() > dueUs ? Math.min(leadMaxUs, leadUs + LEAD_UP_US) : Math.max(0, leadUs - LEAD_DOWN_US)
    ring()
  })
  return {
    wakeAt(atUs) {
      if (atUs === dueUs) return
      // The gaps smoothed over some sixteen of them; requests of one burst are no gap.
      const gapUs = Math.max(0, Number.isNaN(lastDueUs) ? 0 : atUs - lastDueUs)
      leadMaxUs = Math.min(LEAD_MAX_US, leadMaxUs + (gapUs * LEAD_MAX_SHARE - leadMaxUs) / 16)
      leadUs = Math.min(leadUs, leadMaxUs)
      lastDueUs = atUs
      dueUs = atUs
      sleepUntil(atUs - leadUs)
    },
    async close() {
      dueUs = Number.POSITIVE_INFINITY
      sleepUntil(Number.NEGATIVE_INFINITY)
      await thread.terminate()
    },
  }
}
