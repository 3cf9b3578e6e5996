/** Garbage collected when it disturbs nothing, so that it is not when it does. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collector: (() => void) | undefined

/** Collects this thread's heap, all of it, and waits for it: some milliseconds. */
export function collect(): void {
  collector ??= exposed()
  collector()
}

/** V8 gives it to contexts that are made while the flag is set. */
function exposed(): () => void {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  if (typeof found !== 'function') throw new Error('this V8 exposes no collector')
  return found as () => void
}
