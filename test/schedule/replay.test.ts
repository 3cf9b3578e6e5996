// A schedule by recorded times: each row once on every arm, shared by workers, and known only once it was read.
import { expect, test } from 'vitest'
import { type RecordedTimes, replay, rowOf } from '../../src/schedule/replay.ts'

const times = (due: number[], over: boolean, taken: number[] = []): RecordedTimes => ({
  dueUs: (row) => due[row] ?? Number.NaN,
  over,
  endUs: 500,
  take: (row, worker) => {
    taken[worker] = row
  },
})

test('each row is due once, then the trace ends where one more would have been due', () => {
  const next = replay(times([0, 100, 400], true), 1, { index: 0, count: 1 })
  expect([0, 1, 2].map((sent) => next(0, sent))).toEqual([0, 100, 400].map((atUs) => ({ kind: 'due', atUs })))
  expect(next(0, 3)).toEqual({ kind: 'end', atUs: 500 })
})

test('two arms get each row at its time, and two workers every other row', () => {
  const next = replay(times([0, 100, 400], true), 2, { index: 1, count: 2 })
  expect([0, 1].map((sent) => next(0, sent))).toEqual([100, 100].map((atUs) => ({ kind: 'due', atUs })))
  expect(next(0, 2)).toEqual({ kind: 'end', atUs: 500 })
  expect([0, 1, 2, 3].map((sent) => rowOf(sent, 2, { index: 1, count: 2 }))).toEqual([1, 1, 3, 3])
})

test('a row that is not read yet is asked for again, and what was taken is told', () => {
  const taken: number[] = []
  const next = replay(times([0], false, taken), 1, { index: 0, count: 1 })
  expect(next(1_000, 1)).toEqual({ kind: 'unknown', atUs: 1_500 })
  expect(taken).toEqual([1])
})
