/**
 * Keeps V8 from disturbing a measurement: when it collects garbage (a full collection stops its thread for ten
 * milliseconds, in which nothing is sent and nothing seen), and at which priority its helper threads run, which compile
 * and collect beside the thread that runs JavaScript. The system may let such a thread finish its slice of some
 * milliseconds before one that has just become ready, with an idle core beside them or not: a sending thread then sends
 * late, an answering one answers late, and both read as latency. Lowering the priority needs no privilege. And keeps it
 * from a fault of its own.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collector: (() => void) | undefined
const flags = new Set<string>()

/** The flags of V8 that this thread has set, for reports. */
export function v8FlagsSet(): string[] {
  return [...flags]
}

function setFlag(flag: string): void {
  setFlagsFromString(flag)
  flags.add(flag)
}

/**
 * Maglev, the middle compiler of V8 13 and 14 (Node 24 and 26), can give the objects of one literal a common place for
 * a field that holds a double: all of them then have the value of the last. It happens where the compiler works while
 * the field is becoming one of doubles, which a loaded machine makes likely, and only by its escape analysis. The best
 * compiler has its own and does without this one. Node 22 has it switched off.
 */
export function keepDoublesApart(): void {
  if (Number.parseInt(process.versions.v8, 10) <= LAST_SEEN) setFlag('--no-maglev-escape-analysis')
}

/** A later V8 may not know the flag, and would say so on stderr. */
const LAST_SEEN = 14

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
  setFlag('--expose-gc')
  const found: unknown = runInNewContext('gc')
  if (typeof found !== 'function') throw new Error('this V8 exposes no collector')
  return found as () => void
}

/**
 * For a gateway, which runs for long in little memory: without them V8's space for new objects grows with the start,
 * and stays, and the heap grows to a multiple of what lives in it. Set them before anything large is loaded.
 */
export const SMALL_HEAP = ['--semi-space-growth-factor=1', '--heap-growing-percent=20']

/**
 * In threads that are started from here on, a full collection comes when the heap is four times what lives in it. By
 * itself V8 collects in full after every ten or twenty megabytes, those that answers were read into among them; and it
 * looks for memory to give back, eight seconds after the last time and again and again, in whichever thread has little
 * to do: a low rate looks like that. The first of the two is the process's, and holds for the threads that run already
 * too.
 */
export function collectOnlyWhenFull(): void {
  setFlag('--heap-growing-percent=300')
  setFlag('--no-memory-reducer')
}

/**
 * Collections without the help of other threads, for threads that run under real-time scheduling: such a thread would
 * wait for a helper that began to help and then lost its core to an ordinary thread.
 */
export function collectWithoutHelpers(): void {
  for (const flag of WITHOUT_HELPERS) setFlag(flag)
}

/** Each may be set while V8 runs. Those of marking may not, and only full collections wait for a marking helper. */
const WITHOUT_HELPERS = [
  '--no-parallel-scavenge',
  '--no-parallel-compaction',
  '--no-parallel-pointer-update',
  '--no-concurrent-sweeping',
  '--no-concurrent-array-buffer-sweeping',
]

const HELPER = 'V8Worker'
const NICE = 15

/**
 * Several threads of this process may keep every core busy: given less, the helpers would not free what these throw
 * away.
 */
const NICE_BESIDE_MANY = 10

/**
 * Beside real-time threads the helpers cannot be in the way. But now and then such a thread waits for one of them (a
 * collection waits until each compiling thread has paused), which must not wait for ordinary threads then.
 */
const NICE_UNDER_REALTIME = -10

/**
 * For a process in which `busy` threads do the work. Returns the nice value that the helper threads have now; null
 * where none could be given one, or the system does not tell threads apart (anywhere but Linux).
 */
export function lowerHelperThreads(busy = 1): number | null {
  return niceHelperThreads(busy > 1 ? NICE_BESIDE_MANY : NICE)
}

/** The same for a process whose work is that of real-time threads: this one, or one that kt has started. */
export function preferHelperThreads(pid?: number): number | null {
  return niceHelperThreads(NICE_UNDER_REALTIME, pid)
}

function niceHelperThreads(nice: number, pid?: number): number | null {
  const tasks = `/proc/${pid ?? 'self'}/task`
  const changed = idsIn(tasks).filter((id) => nameOf(`${tasks}/${id}`) === HELPER && setNice(Number(id), nice))
  return changed.length > 0 ? nice : null
}

/** Whether it could be: the thread may have ended meanwhile, or the right be missing. */
function setNice(id: number, nice: number): boolean {
  try {
    setPriority(id, nice)
    return true
  } catch {
    return false
  }
}

function idsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function nameOf(task: string): string {
  try {
    return readFileSync(`${task}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}
