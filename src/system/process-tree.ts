/**
 * CPU time and resident memory of another process and of those it started, from /proc. Undefined where there is no
 * /proc (other systems than Linux) or the process has ended: such a figure is absent, never zero. Shared pages are
 * counted in each process that maps them.
 */
import { readFileSync } from 'node:fs'

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
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    const parts = children.filter((id) => id !== '').map((id) => readProcessTree(Number(id)))
    return parts.reduce<TreeReading>(
      (sum, part) => ({ cpuMs: sum.cpuMs + (part?.cpuMs ?? 0), rssBytes: sum.rssBytes + (part?.rssBytes ?? 0) }),
      own,
    )
  } catch {
    return undefined
  }
}

function readProcess(pid: number): TreeReading {
  // The second field is the name in brackets, which may hold blanks and brackets itself.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  const rssKb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  if (![user, system, rssKb].every(Number.isFinite)) throw new Error(`/proc/${pid} is of another form`)
  return { cpuMs: (user + system) * MS_A_TICK, rssBytes: rssKb * 1_024 }
}
