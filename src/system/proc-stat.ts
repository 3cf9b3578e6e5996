/** What Linux tells of a process or a thread in its `stat`, and which processes it has started. */
import { readFileSync } from 'node:fs'

export interface ProcStat {
  /** USER_HZ, which Linux shows to every program as 100 a second whatever it ticks at. */
  userTicks: number
  systemTicks: number
  /** User and system time of the children that have ended and were waited for. */
  endedChildrenTicks: number
  /** When it started, since the machine did: another process with the same number started at another time. */
  startTicks: number
  nice: number
  /** Of SCHED_FIFO; null for a thread under another policy. */
  fifoPriority: number | null
}

/** What the kernel calls SCHED_FIFO. */
const FIFO = 1

/** Of `/proc/<pid>` or `/proc/<pid>/task/<tid>`. Throws where it is not there. */
export function readProcStat(path: string): ProcStat {
  const stat = readFileSync(`${path}/stat`, 'latin1')
  // The second field is the name in brackets, which may hold blanks and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // By its number in proc(5), where the third is the first after the name.
  const numbered = (number: number): number => Number(fields[number - 3] ?? Number.NaN)
  return {
    userTicks: numbered(14),
    systemTicks: numbered(15),
    endedChildrenTicks: numbered(16) + numbered(17),
    startTicks: numbered(22),
    nice: numbered(19),
    fifoPriority: numbered(41) === FIFO ? numbered(40) : null,
  }
}

/** The processes that the main thread of `pid` has started. Throws where the kernel does not list them. */
export function childrenOf(pid: number, proc = '/proc'): number[] {
  const listed = readFileSync(`${proc}/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return listed.filter((id) => id !== '').map(Number)
}
