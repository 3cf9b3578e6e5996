/** When V8 collects garbage. A full collection stops its thread for ten milliseconds, in which nothing is sent and nothing seen. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collector: (() => void) | undefined

/** Collects this thread's heap, all of it, now, when it disturbs nothing. */
export function collect(): void {
  collector ??= exposed()
  collector()
}

/** V8 gives it to contexts that are made while the flag is set. It stays set: it is the process's, and other threads may be here too. */
function exposed(): () => void {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  if (typeof found !== 'function') throw new Error('this V8 exposes no collector')
  return found as () => void
}

/**
 * In threads that are started from here on, a full collection comes when the heap is four times what lives in it. By itself V8 collects in full
 * after every ten or twenty megabytes, those that answers were read into among them; and it looks for memory to give back, eight seconds
 * after the last time and again and again, in whichever thread has little to do: a low rate looks like that.
 * The first of the two is the process's, and holds for the threads that run already too.
 */
export function collectOnlyWhenFull(): void {
  setFlagsFromString('--heap-growing-percent=300')
  setFlagsFromString('--no-memory-reducer')
}
