/** What holds the event loop up, and for how long. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** On a busy machine the loop waits for others too, now and then; its own work holds it up every time. */
const RUNS = 3

/** How long the event loop stands still while `work` runs, at most: the least of several runs. */
export async function longestGapMs(work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < RUNS; i++) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    await work()
    delay.disable()
    least = Math.min(least, delay.max / 1e6)
  }
  return least
}

export function timeMs(work: () => unknown): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}
