/**
 * Waits without blocking the event loop. Timers have a resolution of a millisecond and count from the loop's cached
 * time, so that they may fire early. The last part is waited for turn by turn, and the delay is never shorter than
 * asked.
 */

/** Calls `then` once `delayMs` have passed. The returned function cancels it. */
export function delay(delayMs: number, then: () => void): () => void {
  const untilMs = performance.now() + delayMs
  let timer: NodeJS.Timeout | undefined
  let turn: NodeJS.Immediate | undefined
  const wait = (): void => {
    const restMs = untilMs - performance.now()
    if (restMs <= 0) then()
    else if (restMs >= 1) timer = setTimeout(wait, Math.floor(restMs))
    else turn = setImmediate(wait)
  }
  wait()
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}
