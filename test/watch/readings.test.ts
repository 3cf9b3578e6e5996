import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { now } from '../../src/system/clock.ts'
import { Readings } from '../../src/watch/readings.ts'
import { Ticker } from '../../src/watch/ticker.ts'

test('readings of a long run are kept further apart, from its first second to its last, and never too many', () => {
  const readings = new Readings<number>(1, 16)
  for (let second = 0; second < 1_000; second++) readings.add(second, second * 10)
  readings.addLast(1_000, 10_000)
  expect(readings.kept.length).toBeLessThanOrEqual(16)
  expect(readings.everyS).toBe(64)
  expect(readings.kept.map(({ second }) => second)).toEqual([
    ...Array.from({ length: 15 }, (_, index) => 64 * (index + 1) - 1),
    1_000,
  ])
  expect(readings.kept.every(({ second, value }) => value === second * 10)).toBe(true)
})

test('an interval of more than a second begins at the same place', () => {
  const readings = new Readings<string>(5)
  for (let second = 0; second < 12; second++) readings.add(second, `at ${second}`)
  expect(readings.kept.map(({ second }) => second)).toEqual([4, 9])
})

test('a ticker ends the seconds of a measurement that began earlier, one after the other', async () => {
  const seconds: number[] = []
  const ticker = new Ticker(1, (second) => seconds.push(second))
  expect(ticker.begin(now() - 2_900_000)).toBe(true)
  expect(ticker.begin(now())).toBe(false)
  while (seconds.length < 2) await sleep(20)
  ticker.end()
  expect(ticker.elapsedS).toBeGreaterThan(3.9)
  expect(seconds[0]).toBeGreaterThanOrEqual(2)
  expect(seconds.every((second, index) => index === 0 || second > (seconds[index - 1] ?? 0))).toBe(true)
})
