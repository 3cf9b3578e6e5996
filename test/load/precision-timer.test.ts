// A waker forgets nobody: a due time that is replaced at the very moment at which the thread wakes for the one before is kept too.
import { expect, it } from 'vitest'
import { startPrecisionTimer } from '../../src/load/precision-timer.ts'
import { now } from '../../src/system/clock.ts'

const ROUNDS = 2_000
/** Far more than any stall of a machine that runs tests: a wake that has not come by then never comes. */
const LOST_AFTER_MS = 5_000

it('every due time is rung for, whenever it replaced another', async () => {
  let rung: () => void = () => {}
  const waker = await startPrecisionTimer(now, () => rung())
  const early: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    waker.wakeAt(now() + 300)
    // Up to, at, and after the instant at which the thread wakes for the first one.
    const replaceUs = now() + (round % 100) * 4
    while (now() < replaceUs) {}
    const dueUs = now() + 1_000
    await new Promise<void>((resolve, reject) => {
      const lost = setTimeout(() => reject(new Error(`round ${round}: nobody rang`)), LOST_AFTER_MS)
      rung = () => {
        clearTimeout(lost)
        if (now() < dueUs) early.push(round)
        resolve()
      }
      waker.wakeAt(dueUs)
    })
  }
  await waker.close()
  expect(early).toEqual([])
})
