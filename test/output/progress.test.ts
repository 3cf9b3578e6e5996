// What is told of a run while it goes on: how far, how long, both arms, which level.
import { expect, test } from 'vitest'
import { levelExtent, levelLine, placeName } from '../../src/bench/sweep-progress.ts'
import { beside, type Extent, type ProgressView, progressLine, progressLogLine } from '../../src/output/progress.ts'
import { makeLevel } from '../support/make-sweep.ts'

const view = (more: Partial<ProgressView> = {}): ProgressView => ({
  ...beside('probing'),
  phase: 'measuring',
  elapsedUs: 5_000_000,
  done: 500,
  doneByArm: [260, 240],
  lastSecond: { done: 98, p50Us: 20_100, p99Us: 48_100 },
  ...more,
})
const extent: Extent = { arms: ['gateway', 'direct'], requests: 2_000 }

test('a run of so many requests: share, elapsed, what is left, both arms', () => {
  expect(progressLine(view(), extent, 200)).toBe(
    '[###         ] 25 %  5 s, 15 s left  gateway 260, direct 240 of 1,000 done  98/s  P50 20.1 ms  P99 48.1 ms',
  )
  expect(progressLogLine(view({ failed: 3 }), extent)).toBe(
    '5 s, 15 s left:  gateway 260, direct 240 of 1,000 done, 3 failed  98/s  P50 20.1 ms  P99 48.1 ms',
  )
})

test('a run of so long, with the time of every arm in it', () => {
  const line = progressLine(view(), { arms: ['gateway', 'direct'], durationMs: 20_000 }, 200)
  expect(line).toContain('25 %  5 s, 15 s left  gateway 260, direct 240 done  98/s')
})

test('what is over its time is ending', () => {
  const late = view({ elapsedUs: 25_000_000 })
  const nearly = view({ elapsedUs: 19_980_000 })
  expect(progressLine(nearly, { arms: [], durationMs: 20_000 }, 200)).toContain('100 %  20 s, ending')
  expect(progressLine(late, { arms: [], durationMs: 20_000 }, 200)).toContain('100 %  25 s, ending')
})

test('only whole words stand on a narrow line, and it is never longer', () => {
  for (let width = 20; width < 120; width++) {
    const line = progressLine(view(), extent, width)
    expect(line.length).toBeLessThanOrEqual(width)
    expect(line).toMatch(/(%|left|done|\/s|ms)$/)
  }
})

test('before it measures the phase and its time are told, and nothing of the rest at the start', () => {
  expect(progressLine(view({ phase: 'warm-up', elapsedUs: 3_800_000 }), extent, 80)).toBe('warming up, 4 s')
  expect(progressLine(view({ phase: 'warm-up', elapsedUs: 20_000 }), extent, 80)).toBe('warming up …')
  expect(progressLine(beside('starting'), { arms: [] }, 80)).toBe('starting …')
  expect(progressLine(view({ done: 10 }), extent, 200)).toContain('1 %  5 s  gateway')
})

test('a sweep tells its level, that it is measured again, and what is left of all levels', () => {
  const ask = { mode: 'closed', stepMs: 10_000 } as const
  const place = { level: 4, index: 2, of: 3, again: 1, steps: 1, draw: 0 }
  expect(placeName(place, ask)).toBe('level 2 of 3, 4 in flight')
  const line = progressLine(view(), levelExtent(place, ask), 200)
  expect(line).toContain('level 2 of 3, 4 in flight, measured again  [######      ] 50 %  5 s, 15 s left  500 done')
  expect(placeName({ level: 90, again: 0, steps: 1, draw: 0 }, { mode: 'open', stepMs: 1 })).toBe(
    'search, 90 requests/s',
  )
  expect(levelLine(makeLevel(4, 2), 'level 2 of 3, 4 in flight', 1)).toBe(
    'level 2 of 3, 4 in flight: 400 requests/s, P99 16.0 ms, added 2.00 ms ' +
      '(measured again, the machine was noisy: 2 times so far)',
  )
})
