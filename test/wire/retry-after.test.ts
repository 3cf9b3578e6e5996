import { expect, test } from 'vitest'
import { readRetryAfterMs } from '../../src/wire/retry-after.ts'

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'

test.each([
  ['2', 2_000],
  [' 2 ', 2_000],
  ['0.5', 500],
  ['0', undefined],
  ['-2', undefined],
  ['0x10', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j is a wait of %j ms', (value, ms) => {
  expect(readRetryAfterMs(value, DATE)).toBe(ms)
})

test.each([
  ['Sun, 06 Nov 1994 08:49:40 GMT', 3_000],
  ['Sunday, 06-Nov-94 08:49:40 GMT', 3_000],
  ['Sun Nov  6 08:49:40 1994', 3_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', undefined],
  ['Sun, 06 Nov 1994 08:40:00 GMT', undefined],
  ['Sun, 99 Nov 1994', undefined],
])('%s is meant by the clock of the answer', (value, ms) => {
  expect(readRetryAfterMs(value, DATE)).toBe(ms)
})

test('without the answer’s date, and with one that is none, the clock of this machine counts', () => {
  for (const date of [undefined, 'never']) {
    const ms = readRetryAfterMs(new Date(performance.timeOrigin + performance.now() + 60_000).toUTCString(), date) ?? 0
    expect(ms).toBeGreaterThan(50_000)
    expect(ms).toBeLessThanOrEqual(60_000)
  }
})
