/**
 * Keeps V8 from disturbing a measurement: when it collects garbage (a full collection stops its thread for ten
 * milliseconds, in which nothing is sent and nothing seen), and at which priority its helper threads run, which compile
 * and collect beside the thread that runs JavaScript. The system may let such a thread finish its slice of some
 * milliseconds before one that has just become ready, with an idle core beside them or not: a sending thread then sends
 * late, an answering one answers late, and both read as latency. Lowering the priority needs no privilege.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collector: (() => void) | undefined

/** Collects this thread's whole heap now. Call it when it disturbs nothing. */
export function collect(): void {
  collector ??= exposed()
  collector()
}

/**
 * V8 gives it to contexts that are made while the flag is set. It stays set: it is the process's, and other threads may
 * be here too.
 */
function exposed(): () => void {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  if (typeof found !== 'function') throw new Error('this V8 exposes no collector')
  return found as () => void
}

/**
 * In threads that are started from here on, a full collection comes when the heap is four times what lives in it. By
 * itself V8 collects in full after every ten or twenty megabytes, those that answers were read into among them; and it
 * looks for memory to give back, eight seconds after the last time and again and again, in whichever thread has little
 * to do: a low rate looks like that. The first of the two is the process's, and holds for the threads that run already
 * too.
 */
export function collectOnlyWhenFull(): void {
  setFlagsFromString('--heap-growing-percent=300')
  setFlagsFromString('--no-memory-reducer')
}

const HELPER = 'V8Worker'
const TASKS = '/proc/self/task'
const NICE = 15

/**
 * Several threads of this process may keep every core busy: given less, the helpers would not free what these throw
 * away.
 */
const NICE_BESIDE_MANY = 10

/**
 * For a process in which `busy` threads do the work. Returns how many threads of this process give way now: none where
 * the system does not tell threads apart (anywhere but Linux).
 */
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
