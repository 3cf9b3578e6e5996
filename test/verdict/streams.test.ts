// What the reader of a stream feels has checks of its own: what is added to tokens, and for how long they are held.
import { describe, expect, it } from 'vitest'
import { configFile } from '../../reference-gateway/config/config-file.ts'
import { type BenchQuestion, judgeBench } from '../../src/bench/judge-bench.ts'
import { writeHistogram } from '../../src/report/histogram-text.ts'
import { primaryRun } from '../../src/report/runs.ts'
import type { BenchReport } from '../../src/report/schema.ts'
import { STAMP_METRICS, type StampMetric } from '../../src/slo/metrics.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { logNormal, randomFrom } from '../../src/stats/random.ts'
import { FLUSH_INTERVAL_MS } from '../../src/verdict/judge-stream.ts'
import { around, makeReport } from '../support/make-report.ts'

const nothing: BenchQuestion = { budgetMs: undefined, maxRegression: undefined, thresholds: [] }

/** A streamed run in turns with its provider; medians in milliseconds of what the gateway does to tokens. */
function streamed(medians: Partial<Record<StampMetric, number>>): BenchReport {
  const arm = { stream: true, added: around(1) }
  return makeReport({ ...arm, role: 'gateway', direct: { ...arm, added: around(0.2) } }, (report) => {
    const random = randomFrom('streams')
    for (const { role, metrics } of report.arms.flatMap(({ role, blocks }) =>
      blocks.map(({ metrics }) => ({ role, metrics })),
    )) {
      for (const metric of STAMP_METRICS) {
        const median = medians[metric]
        if (median === undefined || !metrics) continue
        const values = new Histogram()
        for (let i = 0; i < 100; i++) values.record(logNormal(random, (role === 'direct' ? 0.1 : median) * 1e3, 0.2))
        metrics[metric] = writeHistogram(values)
      }
    }
  })
}

function verdicts(report: BenchReport, asked: Partial<BenchQuestion>): Record<string, string> {
  const { checks = [] } = judgeBench(primaryRun(report), { ...nothing, ...asked }) ?? {}
  return Object.fromEntries(checks.map(({ metric, verdict, limit }) => [metric, `${verdict} ${limit}`]))
}

const QUICK = { addedTtft: 0.8, addedPerToken: 0.5, hold: 2 }

describe('a budget on a streamed run', () => {
  it('judges both additions by it, and the hold by the flush interval', () => {
    expect(verdicts(streamed(QUICK), { budgetMs: 7 })).toEqual({
      'overhead.p99': 'pass 7',
      'addedTtft.p99': 'pass 7',
      'addedPerToken.p99': 'pass 7',
      'hold.p99': `pass ${FLUSH_INTERVAL_MS}`,
    })
  })

  it.each<[StampMetric, number]>([
    ['addedTtft', 20],
    ['addedPerToken', 20],
    ['hold', 200],
  ])('fails a gateway of which only %s is over its limit, whose whole answers are in time', (metric, median) => {
    const judged = verdicts(streamed({ ...QUICK, [metric]: median }), { budgetMs: 7 })
    const failed = Object.keys(judged).filter((name) => judged[name]?.startsWith('fail'))
    expect(failed).toEqual([`${metric}.p99`])
  })

  it('leaves the limit of the hold to --budget-hold, which may be asked for alone', () => {
    const held = streamed({ ...QUICK, hold: 30 })
    expect(verdicts(held, { budgetMs: 7, holdMs: 20 })['hold.p99']).toBe('fail 20')
    expect(verdicts(held, { holdMs: 60 })).toEqual({ 'hold.p99': 'pass 60' })
    expect(verdicts(streamed({}), { holdMs: 60 })).toEqual({ 'hold.p99': 'inconclusive 60' })
  })

  it('judges the time to the first token by pairs where tokens bear no stamps', () => {
    expect(verdicts(streamed({}), { budgetMs: 7 })).toMatchObject({ 'delta.ttft.p99': 'pass 7' })
  })
})

it("has the flush interval of the reference gateway's default", () => {
  const { flush_interval: flushMs } = configFile.parse({ gateway: { providers: PROVIDERS } }).gateway.streaming
  expect(flushMs).toBe(FLUSH_INTERVAL_MS)
})

const PROVIDERS = [{ name: 'a', base_url: 'http://127.0.0.1:1/v1', models: ['m'] }]
