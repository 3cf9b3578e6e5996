/**
 * A discrete-event simulation of one queue before any number of equal servers, first come first served (Kiefer and Wolfowitz): the
 * times when servers become free lie in a heap, each arrival takes the earliest. Validated against exact M/M/c; what it says of
 * other service times is then to be believed where the two-moment formulas are not.
 */
import type { Random } from '../../stats/random.ts'
import { WaitHistogram } from './streams.ts'

export interface SimulatedQueue {
  servers: number
  arrivalsPerSec: number
  /** Service time of the next customer, in seconds. */
  serviceS: (random: Random) => number
  customers: number
  /** Customers at the start that are served and not counted: the queue begins empty. */
  warmup: number
}

export function simulateQueue(
  { servers, arrivalsPerSec, serviceS, customers, warmup }: SimulatedQueue,
  random: Random,
): WaitHistogram {
  const waits = new WaitHistogram()
  const free = new Float64Array(servers)
  let now = 0
  for (let i = 0; i < warmup + customers; i++) {
    now -= Math.log(1 - random()) / arrivalsPerSec
    const start = Math.max(now, free[0] ?? 0)
    if (i >= warmup) waits.record(start - now)
    replaceTop(free, start + serviceS(random))
  }
  return waits
}

/** Replaces the smallest value of the heap, and lets the new one sink to its place. */
function replaceTop(heap: Float64Array, value: number): void {
  const size = heap.length
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= size) break
    if (child + 1 < size && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++
    if ((heap[child] ?? 0) >= value) break
    heap[at] = heap[child] ?? 0
    at = child
  }
  heap[at] = value
}
