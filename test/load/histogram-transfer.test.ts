// Histograms on their way from the threads that recorded them to one record. The fault once seen there was the
// engine's: on a loaded machine several encoded histograms in a row had the extremes of the last. So this runs with
// every core taken, in threads that have just begun to compile.
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Histogram } from '../../src/stats/histogram.ts'
import { keepDoublesApart } from '../../src/system/helper-threads.ts'
import type { Recorded } from './histogram-thread.ts'

const THREADS = 3
const spinning: Worker[] = []

beforeAll(() => {
  keepDoublesApart()
  for (let i = 0; i < 4; i++) spinning.push(new Worker('for (;;);', { eval: true }))
})
afterAll(() => Promise.all(spinning.map((worker) => worker.terminate())))

async function recordInThread(rounds: number[][][]): Promise<Recorded[]> {
  const thread = new Worker(new URL('histogram-thread.ts', import.meta.url), { workerData: { rounds } })
  try {
    return await new Promise((resolve, reject) => {
      thread.once('message', resolve)
      thread.once('error', reject)
    })
  } finally {
    await thread.terminate()
  }
}

/** What a list of values comes to, without a histogram. */
function extremes(values: readonly number[]) {
  const whole = values.map((us) => (us <= 0 ? 0 : Math.round(us)))
  return {
    minUs: whole.length > 0 ? Math.min(...whole) : 0,
    maxUs: Math.max(0, ...whole),
    sumUs: whole.reduce((sum, us) => sum + us, 0),
    negative: values.filter((us) => us < 0).length,
  }
}

/** Durations of all kinds: whole ones, fractions, some below zero, and hours, whose sums are no small integers. */
const durationUs = fc.oneof(
  fc.integer({ min: 0, max: 60_000 }),
  fc.integer({ min: -50, max: 420_000 }).map((sevenths) => sevenths / 7),
  fc.integer({ min: 0, max: 2_000_000_000 }),
)
const blocks = fc.array(fc.array(durationUs, { maxLength: 80, size: 'max' }), { minLength: 8, maxLength: 24 })
const rounds = fc.array(blocks, { minLength: 4, maxLength: 6 })

it('from several threads at once they come whole, and add up to one of all values', async () => {
  const property = fc.asyncProperty(fc.array(rounds, { minLength: THREADS, maxLength: THREADS }), async (parts) => {
    const recorded = await Promise.all(parts.map(recordInThread))
    for (const [thread, results] of recorded.entries()) {
      for (const [round, { encoded }] of results.entries()) {
        const given = parts[thread]?.[round] ?? []
        expect(encoded.map(({ latency }) => latency)).toMatchObject(given.map(extremes))
        expect(encoded.map(({ metrics }) => metrics.service)).toMatchObject(
          given.map((values) => extremes(values.map((us) => us * 0.9))),
        )
        expect(encoded.map(({ metrics }) => metrics.gap)).toMatchObject(
          given.map((values) => extremes(values.filter((_, i) => i % 3 === 0).map((us) => us / 3))),
        )
        expect(encoded.map(({ stamped }) => stamped)).toMatchObject(
          given.map((values) => extremes(values.filter((_, i) => i % 2 === 0).map((us) => us / 20 - 100))),
        )
      }
    }
    const values = parts.flat(3)
    const merged = Histogram.merge(recorded.flat().map(({ all }) => Histogram.unpack(all)))
    const direct = new Histogram()
    for (const value of values) direct.record(value)
    expect(merged.distinctUs()).toEqual(direct.distinctUs())
    expect([merged.count, merged.minUs, merged.maxUs]).toEqual([direct.count, direct.minUs, direct.maxUs])
    expect(merged.sumUs).toBe(direct.sumUs)
  })
  await fc.assert(property, { numRuns: 4, seed: 8, endOnFailure: true })
})
