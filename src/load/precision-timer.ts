/**
 * Wakes the sending thread at an instant, for open loops and think times. setTimeout is half a millisecond late at the
 * median, and spinning from one request to the next burns the machine that the target shares. So a thread of its own
 * sleeps on shared memory (timer-thread.ts) until the instant. Waking takes some hundredths of a millisecond, and so
 * does building a request: `SendLeadTime` says how long before a request's due time to wake.
 */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../system/clock.ts'

const FIRST_US = 100
/** In this proportion the lead time settles where one request in fifty is not ready in time. */
const SOONER_US = 25
const LATER_US = 0.5
/** Down, where the waiting takes more than its share. */
const CHEAPER_US = 12
const MOST_US = 500
/** The largest share of all time that may be spent waiting: the machine is shared with the target. */
const WAIT_SHARE = 0.05
const SMOOTHED_OVER = 16

/**
 * Lead time before a request's due time, so that the request is ready for its socket when it is due: waking takes time,
 * and so does building a request and taking it through the client (a tenth of a millisecond, more where caches are
 * cold). It is learnt from how early or late the requests before were ready. A request that is ready too early waits
 * for its due time in client/connection.ts, so none leaves before it.
 */
export class SendLeadTime {
  us = FIRST_US
  #lastDueUs = Number.NaN
  #gapUs = 0
  #waitedUs = 0

  /**
   * A request that the timer woke the loop for was ready at `readyUs`, NaN if never. The lead time settles where nearly
   * all requests are ready in time, unless the waiting would take more than its share: then it gets shorter.
   */
  learn(dueUs: number, readyUs: number): void {
    if (Number.isNaN(readyUs)) return
    if (!Number.isNaN(this.#lastDueUs)) this.#gapUs += (dueUs - this.#lastDueUs - this.#gapUs) / SMOOTHED_OVER
    this.#lastDueUs = dueUs
    this.#waitedUs += (Math.max(0, dueUs - readyUs) - this.#waitedUs) / SMOOTHED_OVER
    const tooLong = this.#gapUs > 0 && this.#waitedUs > this.#gapUs * WAIT_SHARE
    const step = tooLong ? -CHEAPER_US : readyUs > dueUs ? SOONER_US : -LATER_US
    this.us = Math.max(0, Math.min(MOST_US, this.us + step))
  }
}

interface PrecisionTimer {
  /** Calls back at `atUs` on the host's clock; a later call replaces an earlier one. */
  wakeAt(atUs: number): void
  close(): Promise<void>
}

/** Resolves when the thread runs, so that its start does not compete with the run for file descriptors or time. */
export async function startPrecisionTimer(
  clock: Clock,
  callback: () => void,
  realtime = false,
): Promise<PrecisionTimer> {
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const due = new Float64Array(new SharedArrayBuffer(8))
  due[0] = Number.POSITIVE_INFINITY
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`timer-thread.${extension}`, import.meta.url), {
    workerData: { signal, due, realtime },
  })
  let dueUs = Number.POSITIVE_INFINITY

  const sleepUntil = (atUs: number): void => {
    due[0] = atUs
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
  }
  await new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
  thread.on('message', () => {
    if (dueUs === Number.POSITIVE_INFINITY) return
    // The thread woke for an earlier due time and may have cleared this one with it: without another call it would
    // sleep for ever.
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
