import { expect, test } from 'vitest'
import { DueTimer } from '../../src/provider/reply.ts'
import { now } from '../../src/system/clock.ts'

test('the timer never fires early', async () => {
  const earliestUs = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i % 20))
      const dueUs = now() + 500 + i * 37
      await new Promise<void>((resolve) => new DueTimer(now).at(dueUs, resolve))
      return now() - dueUs
    }),
  )
  expect(Math.min(...earliestUs)).toBeGreaterThanOrEqual(0)
})

test('an instant that has passed fires at once', () => {
  let fired = 0
  new DueTimer(now).at(now(), () => fired++)
  expect(fired).toBe(1)
})

test('a stopped timer stays silent, and a new instant replaces the one before', async () => {
  const fired: string[] = []
  const timer = new DueTimer(now)
  timer.at(now() + 5_000, () => fired.push('first'))
  timer.at(now() + 10_000, () => fired.push('second'))
  const stopped = new DueTimer(now)
  stopped.at(now() + 5_000, () => fired.push('stopped'))
  stopped.stop()
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(fired).toEqual(['second'])
})
