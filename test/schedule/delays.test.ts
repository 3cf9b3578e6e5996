import { expect, test } from 'vitest'
import { delayDraws, parseDelay, parseModelDelay } from '../../src/schedule/delays.ts'

test('a model takes a delay by its quantiles, with straight lines between', () => {
  const delay = parseModelDelay('quantiles(0:10ms, 50:20ms,100:1s)')
  expect(delay).toEqual({
    kind: 'quantiles',
    points: [
      { share: 0, us: 10_000 },
      { share: 0.5, us: 20_000 },
      { share: 1, us: 1_000_000 },
    ],
  })
  if (!delay) throw new Error('not parsed')
  const next = delayDraws(delay, 'seed')
  const draws = Array.from({ length: 2_000 }, next)
  expect(draws.filter((us) => us <= 20_000).length / 2_000).toBeCloseTo(0.5, 1)
  expect(Math.min(...draws)).toBeGreaterThanOrEqual(10_000)
  expect(Math.max(...draws)).toBeLessThanOrEqual(1_000_000)
  expect(Array.from({ length: 5 }, delayDraws(delay, 'seed'))).toEqual(draws.slice(0, 5))
})

test.each([
  'quantiles()',
  'quantiles(0:10ms)',
  'quantiles(0:10ms,50:20ms)',
  'quantiles(5:10ms,100:20ms)',
  'quantiles(0:10ms,100:5ms)',
  'quantiles(0:10ms,0:12ms,100:20ms)',
  'quantiles(0:10,x:12ms,100:20ms)',
])('%s is no delay', (text) => {
  expect(parseModelDelay(text)).toBeUndefined()
})

test('a pause of users is not taken by quantiles', () => {
  expect(parseDelay('quantiles(0:10ms,100:20ms)')).toBeUndefined()
  expect(parseModelDelay('lognormal(20ms,0.5)')).toEqual(parseDelay('lognormal(20ms,0.5)'))
})
