/**
 * CPU time and resident memory of another process and of those it started, from /proc. Undefined where there is no
 * /proc (other systems than Linux) or the process has ended: such a figure is absent, never zero. Shared pages are
 * counted in each process that maps them.
 */
import { readFileSync } from 'node:fs'
import { childrenOf, readProcStat } from './proc-stat.ts'

interface TreeReading {
  /** User and system time since the processes started, in steps of 10 ms. */
  cpuMs: number
  rssBytes: number
}

/** USER_HZ, which Linux shows to every program as 100 whatever it ticks at. */
const MS_A_TICK = 10

export function readProcessTree(pid: number): TreeReading | undefined {
  try {
    const own = readProcess(pid)
    // Where the kernel does not list children, or one ends meanwhile, the sum is of those that are seen.
    const parts = childrenOf(pid).map(readProcessTree)
    return parts.reduce<TreeReading>(
      (sum, part) => ({ cpuMs: sum.cpuMs + (part?.cpuMs ?? 0), rssBytes: sum.rssBytes + (part?.rssBytes ?? 0) }),
      own,
    )
  } catch {
    return undefined
  }
}

function readProcess(pid: number): TreeReading {
  const { userTicks, systemTicks } = readProcStat(`/proc/${pid}`)
  const rssKb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  if (![userTicks, systemTicks, rssKb].every(Number.isFinite)) throw new Error(`/proc/${pid} is of another form`)
  return { cpuMs: (userTicks + systemTicks) * MS_A_TICK, rssBytes: rssKb * 1_024 }
}
