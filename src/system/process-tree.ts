/**
 * CPU time and resident memory of another process and of those it started, from /proc. Undefined where there is no
 * /proc (other systems than Linux) or the process has ended: such a figure is absent, never zero. Shared pages are
 * counted in each process that maps them.
 */
import { readFileSync } from 'node:fs'
import { childrenOf, readProcStat } from './proc-stat.ts'

export interface TreeReading {
  /** User and system time since the processes started, in steps of 10 ms, with that of children that have ended. */
  cpuMs: number
  rssBytes: number
  /** Of the first process: differs where its number has become another's. */
  startTicks: number
}

/** USER_HZ, which Linux shows to every program as 100 whatever it ticks at. */
const MS_A_TICK = 10

export function readProcessTree(pid: number): TreeReading | undefined {
  try {
    const own = readProcess(pid)
    // Where one ends meanwhile, the sum is of those that are seen.
    for (const part of childrenSeen(pid).map(readProcessTree)) {
      own.cpuMs += part?.cpuMs ?? 0
      own.rssBytes += part?.rssBytes ?? 0
    }
    return own
  } catch {
    return undefined
  }
}

function readProcess(pid: number): TreeReading {
  const { userTicks, systemTicks, endedChildrenTicks, startTicks } = readProcStat(`/proc/${pid}`)
  const rssKb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  const ticks = userTicks + systemTicks + endedChildrenTicks
  if (![ticks, startTicks, rssKb].every(Number.isFinite)) throw new Error(`/proc/${pid} is of another form`)
  return { cpuMs: ticks * MS_A_TICK, rssBytes: rssKb * 1_024, startTicks }
}

/** None where the kernel does not list them. */
function childrenSeen(pid: number): number[] {
  try {
    return childrenOf(pid)
  } catch {
    return []
  }
}
