// Records of several senders become one as they come: whatever comes first, and whatever is added up before, the sum is
// that of all of them in their order. The records are those of real threads.
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { addAll } from '../../src/load/add-up.ts'
import { type Progress, progressSum, type RunRecord, recordSum } from '../../src/load/merge.ts'
import { startRun } from '../../src/load/run.ts'
import type { HeardOfSenders, StartSenders } from '../../src/load/senders.ts'
import { startSendingThreads } from '../../src/load/sending-threads.ts'
import { Histogram, type PackedHistogram } from '../../src/stats/histogram.ts'
import { planFor } from '../support/engine.ts'
import { quickProvider } from '../support/provider.ts'

const THREADS = 5
const records: RunRecord[] = []
const told: Progress[] = []
let whole: RunRecord

beforeAll(async () => {
  const provider = await quickProvider()
  const changes = {
    ...{ requests: 240, blocks: 4, warmup: 10, workers: THREADS, compareAnswers: true },
    load: { mode: 'open' as const, rps: 300, maxInFlight: 100 },
    cancel: { share: 0.1, after: { tokens: 2 } },
  }
  const [target, ...none] = planFor(provider.url).arms
  if (!target || none.length > 0) throw new Error('a plan of another number of arms')
  const arms = ['direct', 'gateway'].map((name) => ({ ...target, name, tag: name.padEnd(8, 'x') }))
  const start: StartSenders = (job, heard) => {
    const message: HeardOfSenders['message'] = (index, said) => {
      if (said.type === 'done') records[index] = said.record
      if (said.type === 'progress') told[index] = said.progress
      heard.message(index, said)
    }
    return startSendingThreads(job, { ...heard, message })
  }
  const running = await startRun({ ...planFor(provider.url, changes, true), arms }, { progress: () => {} }, start)
  whole = await running.result
  await provider.close()
})

function sumIn(order: readonly number[]): RunRecord {
  const sum = recordSum()
  for (const index of order) sum.add(known(records[index]), index)
  return sum.total()
}

test('is the record of the run', () => {
  expect(records).toHaveLength(THREADS)
  expect(addAll(recordSum, records)).toEqual(whole)
})

test('in any order of arrival', () => {
  const [all, text] = [[...records.keys()], JSON.stringify(whole)]
  const orders = fc.shuffledSubarray(all, { minLength: THREADS })
  fc.assert(
    fc.property(orders, (order) => {
      expect(JSON.stringify(sumIn(order))).toBe(text)
    }),
    { numRuns: 12 },
  )
})

test('in any groups: the arms are the same, but for the last digits of sums of fractions', () => {
  const rounded = ({ arms }: RunRecord): unknown =>
    JSON.parse(JSON.stringify(arms), (_, value) => (typeof value === 'number' ? Number(value.toPrecision(9)) : value))
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: THREADS - 1 }))
  fc.assert(
    fc.property(cuts, (unsorted) => {
      const ends = [...unsorted.sort((a, b) => a - b), THREADS]
      const groups = ends.map((end, i) => addAll(recordSum, records.slice(ends[i - 1] ?? 0, end)))
      const sum = addAll(recordSum, groups)
      expect(rounded(sum)).toEqual(rounded(whole))
      expect(sum.workers).toEqual(whole.workers)
    }),
    { numRuns: 4 },
  )
})

test('without a sender that was lost, it is the sum of the others', () => {
  const sum = sumIn([4, 0, 2])
  expect(sum.workers).toEqual([0, 2, 4].map((index) => known(records[index]).self))
  const ok = [0, 2, 4].reduce((count, index) => count + (known(records[index]).arms[1]?.outcomes.OK ?? 0), 0)
  expect(ok).toBeGreaterThan(50)
  expect(sum.arms[1]?.outcomes.OK).toBe(ok)
  expect(sumIn([3])).toBe(records[3])
})

test('histograms, counts and readings, each as it is added up by hand', () => {
  const values = (parts: readonly (PackedHistogram | undefined)[]): string[] =>
    parts.map((part) => {
      const { count, minUs, maxUs, sumUs } = Histogram.unpack(known(part))
      return [count, minUs, maxUs, sumUs].join()
    })
  for (const [arm, { blocks, outcomes, canceled, compared }] of whole.arms.entries()) {
    const parts = records.map(({ arms }) => known(arms[arm]))
    expect(blocks.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    for (const { index, sent, metrics, startedAtUs } of blocks) {
      const same = parts.map((part) => part.blocks.find((block) => block.index === index)).filter((one) => one)
      const merged = new Histogram(4)
      for (const one of same) merged.addPacked(known(one?.metrics.latency))
      expect(values([metrics.latency])).toEqual(values([merged.pack()]))
      expect(sent).toBe(sumOf(same.map((one) => one?.sent ?? 0)))
      expect(startedAtUs).toBe(Math.min(...same.map((one) => known(one?.startedAtUs))))
    }
    expect(sumOf(Object.values(outcomes))).toBe(sumOf(blocks.map(({ sent }) => sent)))
    expect(canceled.rows).toEqual(parts.flatMap(({ canceled: { rows } }) => rows))
    expect(compared?.answers).toEqual(parts.flatMap((part) => part.compared?.answers ?? []))
  }
  expect(whole.workers).toEqual(records.map(({ self }) => self))
  expect(whole.self).toMatchObject({
    ...records[0]?.self,
    gcMs: sumOf(records.map(({ self }) => self.gcMs)),
    eventLoopUtilization: Math.max(...records.map(({ self }) => self.eventLoopUtilization)),
    eventLoopDelayMs: { max: Math.max(...records.map(({ self }) => self.eventLoopDelayMs.max)) },
  })
  const done = ({ series }: RunRecord): number => sumOf(series.map((second) => second.done))
  expect(done(whole)).toBe(sumOf(records.map(done)))
  expect(whole.requestTimes.map(({ length }) => length)).toEqual(
    whole.arms.map((_, arm) => sumOf(records.map(({ requestTimes }) => requestTimes[arm]?.length ?? 0))),
  )
})

test('a second of the progress is one that all have had', () => {
  const [first, ...others] = told
  const second = { ...known(records[0]?.series[0]), second: 3 }
  const all = [{ ...known(first), lastSecond: second }, ...others.map((one) => ({ ...one, lastSecond: second }))]
  expect(addAll(progressSum, all).lastSecond).toMatchObject({ second: 3, sent: THREADS * second.sent })
  const behind = [...all.slice(1), { ...known(all[0]), lastSecond: { ...second, second: 2 } }]
  expect(addAll(progressSum, behind).lastSecond).toMatchObject({ second: 2, sent: second.sent })
  expect(addAll(progressSum, [{ ...known(all[0]), lastSecond: null }, ...all.slice(1)]).lastSecond).toBeNull()
})

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing there')
  return value
}
