/**
 * V8's helper threads (they compile and collect beside the thread that runs JavaScript) at a low priority. The system may let such a
 * thread finish its slice of some milliseconds before one that has just become ready, an idle core beside them or not: a sending thread then
 * sends late, an answering one answers late, and both read as latency. Lowering needs no privilege.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

const HELPER = 'V8Worker'
const TASKS = '/proc/self/task'
const NICE = 15
/** Several threads of this process may keep every core busy: given less, the helpers would not free what these throw away. */
const NICE_BESIDE_MANY = 10

/** For a process in which `busy` threads do the work. Returns how many threads of this process give way now: none where the system does not tell threads apart (anywhere but Linux). */
export function lowerHelperThreads(busy = 1): number {
  const nice = busy > 1 ? NICE_BESIDE_MANY : NICE
  return taskIds().filter((id) => nameOf(id) === HELPER && lower(Number(id), nice)).length
}

/** Whether it could be: it may have ended meanwhile. */
function lower(id: number, nice: number): boolean {
  try {
    setPriority(id, nice)
    return true
  } catch {
    return false
  }
}

function taskIds(): string[] {
  try {
    return readdirSync(TASKS)
  } catch {
    return []
  }
}

function nameOf(id: string): string {
  try {
    return readFileSync(`${TASKS}/${id}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}
