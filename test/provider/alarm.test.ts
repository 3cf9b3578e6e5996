import { expect, test } from 'vitest'
import { Alarm } from '../../src/provider/reply.ts'
import { now } from '../../src/system/clock.ts'

test('an alarm never rings early', async () => {
  const earliestUs = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i % 20))
      const dueUs = now() + 500 + i * 37
      await new Promise<void>((resolve) => new Alarm(now).at(dueUs, resolve))
      return now() - dueUs
    }),
  )
  expect(Math.min(...earliestUs)).toBeGreaterThanOrEqual(0)
})

test('an alarm whose time has come rings at once', () => {
  let rang = 0
  new Alarm(now).at(now(), () => rang++)
  expect(rang).toBe(1)
})

test('a stopped alarm stays silent, and a set one forgets what was set before', async () => {
  const rang: string[] = []
  const alarm = new Alarm(now)
  alarm.at(now() + 5_000, () => rang.push('first'))
  alarm.at(now() + 10_000, () => rang.push('second'))
  const stopped = new Alarm(now)
  stopped.at(now() + 5_000, () => rang.push('stopped'))
  stopped.stop()
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(rang).toEqual(['second'])
})
