/**
 * Watches the thread that sends: how late its event loop ran, how busy it was, how long the garbage collector held it. What
 * the instrument cannot rule out about itself, the report must say.
 */
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'

export interface SelfReading {
  eventLoopDelayMs: { p99: number; max: number }
  /** Share of the time the event loop was not idle. */
  eventLoopUtilization: number
  /** CPU of the whole process, in cores. */
  cpuShare: number
  gcMs: number
}

const RESOLUTION_MS = 5

/** Starts watching; the returned function ends it and gives the reading. */
export function watchSelf(): () => SelfReading {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  let gcMs = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      gcMs += entry.duration
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  delay.enable()
  const loopBefore = performance.eventLoopUtilization()
  const cpuBefore = process.cpuUsage()
  const startedMs = performance.now()
  return () => {
    const wallMs = performance.now() - startedMs
    const cpu = process.cpuUsage(cpuBefore)
    delay.disable()
    observer.disconnect()
    // The histogram holds the distance between two ticks of a timer: what exceeds its period is delay.
    const excessMs = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS)
    return {
      eventLoopDelayMs: { p99: excessMs(delay.percentile(99)), max: delay.max > 0 ? excessMs(delay.max) : 0 },
      eventLoopUtilization: performance.eventLoopUtilization(loopBefore).utilization,
      cpuShare: wallMs > 0 ? (cpu.user + cpu.system) / 1_000 / wallMs : 0,
      gcMs,
    }
  }
}
