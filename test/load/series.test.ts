import { expect, test } from 'vitest'
import { Series } from '../../src/load/series.ts'

const SECOND_US = 1_000_000

test('each second says what was sent and what ended in it', () => {
  const series = new Series(0)
  series.sent(100_000)
  series.sent(200_000)
  series.ended(900_000, 800_000, true)
  series.ended(2.5 * SECOND_US, 2_300_000, false)
  series.end()
  expect(
    series.seconds.map(({ second, sent, done, failed, inFlight }) => [second, sent, done, failed, inFlight]),
  ).toEqual([
    [0, 2, 1, 0, 1],
    [1, 0, 0, 0, 1],
    [2, 0, 1, 1, 0],
  ])
})

test('a long run keeps its last seconds, and does not grow', () => {
  const series = new Series(0, 1, false, 5)
  for (let second = 0; second < 12; second++) {
    series.sent(second * SECOND_US)
    series.ended(second * SECOND_US + 10, 10, true)
  }
  series.end()
  expect(series.seconds.map(({ second }) => second)).toEqual([7, 8, 9, 10, 11])
})
