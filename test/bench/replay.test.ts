// The fidelity of a replay, from rows whose requests left when this test says so.
import { afterAll, expect, it } from 'vitest'
import { openReplay } from '../../src/bench/replay.ts'
import { ArmRecorder } from '../../src/load/recorder.ts'
import { chooseWorkload } from '../../src/workload/choose.ts'
import { RingRows } from '../../src/workload/traces/ring.ts'
import { traceOf } from '../../src/workload/workload.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const ROWS = 100
const path = dir.write(
  'trace.csv',
  `TIMESTAMP,ContextTokens,GeneratedTokens\n${Array.from({ length: ROWS }, (_, i) => `${i / 10},20,3\n`).join('')}`,
)
const endless = Number.POSITIVE_INFINITY
const selection = { speed: 1, share: 1, seed: 1, fromUs: 0, toUs: endless, rows: endless, durationUs: endless }

/** What a replay says of itself whose request `row` left at `leftUs(row)`, of two threads, one ahead of the other. */
async function replayed(leftUs: (row: number, dueUs: number) => number, sending = 1) {
  const workload = chooseWorkload({ trace: path, seed: 1 })
  const replay = await openReplay({ path, selection }, workload, { arms: sending })
  const ring = traceOf(workload)?.ring
  if (!ring || !replay) throw new Error('a workload without a trace')
  replay.share(2)
  const rows = new RingRows(ring)
  while (!rows.over) await new Promise((resolve) => setTimeout(resolve, 1))
  const recorder = new ArmRecorder('target', [], { load: { mode: 'open', rps: 10, maxInFlight: 1, trace: ring } })
  for (let row = 0; row < ROWS; row++) {
    const dueUs = rows.dueUs(row)
    const atUs = leftUs(row, dueUs)
    for (let arm = 0; arm < sending; arm++) rows.left(arm, row, 5e6 + atUs)
    recorder.replay?.left(atUs - dueUs)
    recorder.replay?.answered(rows.inputTokens(row), rows.outputTokens(row))
  }
  rows.take(ROWS, 0)
  rows.take(ROWS + 1, 1)
  const { arms, ...said } = await replay.finish({ arms: Array(sending).fill(recorder.toRecord()) })
  return { said, arm: arms[0], arms }
}

it('one that sends every request on time is without a fault', async () => {
  const { said, arm } = await replayed((_row, dueUs) => dueUs)
  expect(said).toEqual({ trace: 'trace.csv', format: 'Azure', speed: 1, requests: ROWS, spanS: 10 })
  expect(arm).toEqual({
    name: 'target',
    lateMs: { p50: 0, p99: 0, max: 0 },
    gapsKs: 0,
    inputTokens: { asked: 2_000, counted: 0 },
    outputTokens: { asked: 300, counted: 0 },
  })
})

it('one that sends them all at its end is late by all of it, and their gaps have nothing in common', async () => {
  const { arm } = await replayed(() => 9.9e6)
  expect(arm).toMatchObject({ lateMs: { max: 9_900 }, gapsKs: 1 })
})

it('one that holds back each tenth request by half a gap lengthens a tenth of the gaps, shortens as many', async () => {
  const { arm } = await replayed((row, dueUs) => dueUs + (row % 10 === 5 ? 50_000 : 0))
  expect(arm?.lateMs?.max).toBeCloseTo(50, 0)
  expect(arm?.gapsKs).toBeCloseTo(0.1, 1)
})

it('every arm of a run has its own, however many there are', async () => {
  const { arms } = await replayed((row, dueUs) => dueUs + (row % 10 === 5 ? 50_000 : 0), 5)
  expect(arms.map(({ gapsKs }) => gapsKs?.toFixed(1))).toEqual(['0.1', '0.1', '0.1', '0.1', '0.1'])
})
