// The timer misses no due time, not even one that replaces another at the very moment at which the thread wakes for
// that one.
import { expect, it } from 'vitest'
import { startPrecisionTimer } from '../../src/load/precision-timer.ts'
import { now } from '../../src/system/clock.ts'

const ROUNDS = 2_000
/** Far more than any stall of a machine that runs tests: a wake that has not come by then never comes. */
const LOST_AFTER_MS = 5_000

it('every due time calls back, whenever it replaced another', async () => {
  let called: () => void = () => {}
  const timer = await startPrecisionTimer(now, () => called())
  const early: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    timer.wakeAt(now() + 300)
    // Up to, at, and after the instant at which the thread wakes for the first one.
    const replaceUs = now() + (round % 100) * 4
    while (now() < replaceUs) {}
    const dueUs = now() + 1_000
    await new Promise<void>((resolve, reject) => {
      const lost = setTimeout(() => reject(new Error(`round ${round}: no call`)), LOST_AFTER_MS)
      called = () => {
        clearTimeout(lost)
        if (now() < dueUs) early.push(round)
        resolve()
      }
      timer.wakeAt(dueUs)
    })
  }
  await timer.close()
  expect(early).toEqual([])
})
