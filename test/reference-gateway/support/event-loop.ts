/** What holds the event loop up, and for how long. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How long the event loop stood still while `work` ran, at most. */
export async function longestGapMs(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  return delay.max / 1e6
}

export function timeMs(work: () => unknown): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}
