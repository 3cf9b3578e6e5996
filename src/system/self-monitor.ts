/**
 * Watches the thread that sends: how late its event loop ran, how busy it was, how long the garbage collector held it.
 * What the instrument cannot rule out about itself, the report must say.
 */
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'

export interface SelfReading {
  eventLoopDelayMs: { p99: number; max: number }
  /** Share of the time the event loop was not idle. */
  eventLoopUtilization: number
  /** CPU of the whole process, in cores. */
  cpuShare: number
  gcMs: number
  /** How often the system took a core away from the process; null where it does not say. */
  involuntarySwitches: number | null
  /** How long the control group's CPU limit held the process; null without one. */
  throttledMs: number | null
}

const RESOLUTION_MS = 5

interface SelfWatch {
  /** Of the time since it began. */
  reading(): SelfReading
  end(): void
}

export function watchSelf(): SelfWatch {
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
  const switchesBefore = switches()
  const throttledBefore = throttledUs()
  const end = (): void => {
    delay.disable()
    observer.disconnect()
  }
  const reading = (): SelfReading => {
    const wallMs = performance.now() - startedMs
    const cpu = process.cpuUsage(cpuBefore)
    // The histogram holds the distance between two ticks of a timer: what exceeds its period is delay.
    const excessMs = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS)
    return {
      eventLoopDelayMs: { p99: excessMs(delay.percentile(99)), max: delay.max > 0 ? excessMs(delay.max) : 0 },
      eventLoopUtilization: performance.eventLoopUtilization(loopBefore).utilization,
      cpuShare: wallMs > 0 ? (cpu.user + cpu.system) / 1_000 / wallMs : 0,
      gcMs,
      involuntarySwitches: since(switchesBefore, switches()),
      throttledMs: since(throttledBefore, throttledUs(), 1_000),
    }
  }
  return { reading, end }
}

function since(before: number | null, after: number | null, per = 1): number | null {
  return before === null || after === null ? null : (after - before) / per
}

/** Windows counts none. */
function switches(): number | null {
  return process.platform === 'win32' ? null : process.resourceUsage().involuntaryContextSwitches
}

/**
 * How long the control group's CPU limit has held this process, in microseconds; null without one. cgroup v2 says
 * `throttled_usec`, v1 `throttled_time` in nanoseconds. `root`: where /proc and /sys are.
 */
export function throttledUs(root = ''): number | null {
  for (const path of cgroupFiles(root)) {
    try {
      const [, unit, value] = /^throttled_(usec|time) (\d+)$/m.exec(readFileSync(path, 'utf8')) ?? []
      if (value !== undefined) return unit === 'usec' ? Number(value) : Number(value) / 1_000
    } catch {
      // Not this one.
    }
  }
  return null
}

function cgroupFiles(root: string): string[] {
  let own = ''
  try {
    own = /^0::(.*)$/m.exec(readFileSync(`${root}/proc/self/cgroup`, 'utf8'))?.[1] ?? ''
  } catch {
    // No control groups.
  }
  return [own, '', '/cpu'].map((group) => `${root}/sys/fs/cgroup${group}/cpu.stat`)
}
