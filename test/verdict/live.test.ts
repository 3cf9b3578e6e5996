// What the gate would say by now: the figures and verdicts that the report of the same blocks has, and a forecast that
// comes true where the blocks go on as they began.
import { describe, expect, it } from 'vitest'
import { type BenchQuestion, judgeBench } from '../../src/bench/judge-bench.ts'
import { type EncodedHistogram, readHistogram } from '../../src/report/histogram-text.ts'
import type { Block, Run } from '../../src/report/schema.ts'
import { parseThreshold, type Threshold } from '../../src/slo/threshold.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { type BlockSoFar, type LiveMargin, liveMargins, metricsOf } from '../../src/verdict/live.ts'
import { around, fixed, makeRun, type ReportShape } from '../support/make-report.ts'

function decodeAll(parts: Partial<Record<string, EncodedHistogram>>): Record<string, Histogram> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) => (part ? [[name, readHistogram(part)]] : [])),
  )
}

function soFar({ index, sent, outcomes, latency, overhead, metrics }: Block): BlockSoFar {
  const { 'provider-stamped': stamped, ...selfReported } = overhead
  return {
    ...{ index, sent, outcomes },
    metrics: decodeAll({ ...metrics, latency }),
    stamped: stamped ? readHistogram(stamped) : new Histogram(),
    selfReported: decodeAll(selfReported),
  }
}

const NOTHING: BenchQuestion = { budgetMs: undefined, maxRegression: undefined, thresholds: [] }

function margins(run: Run, asked: Partial<BenchQuestion>, blocks = run.blocks.length, mostBlocks = 80): LiveMargin[] {
  const [gateway, baseline] = [run.blocks, run.baseline?.blocks ?? []].map((all) => all.slice(0, blocks).map(soFar))
  return liveMargins(gateway ?? [], baseline ?? [], { ...NOTHING, holdMs: undefined, ...asked, mostBlocks })
}

function threshold(text: string): Threshold {
  const parsed = parseThreshold(text)
  if (!parsed.ok) throw new Error(parsed.why)
  return parsed.value
}

const stamped = { added: around(2), direct: { added: around(0.2) } } satisfies ReportShape
const unstamped = { added: around(2), read: [], direct: { added: fixed(0), read: [] } } satisfies ReportShape

describe('the margin of a run that is over', () => {
  it.each<[string, ReportShape, Partial<BenchQuestion>]>([
    ['by stamps, within the budget', stamped, { budgetMs: 7 }],
    ['by stamps, over it', { ...stamped, added: around(9) }, { budgetMs: 7 }],
    ['by stamps, undecided', { ...stamped, requests: 200 }, { budgetMs: 7 }],
    ['by pairs', unstamped, { budgetMs: 7 }],
    ['by pairs, over it', { ...unstamped, added: around(20) }, { budgetMs: 7 }],
    ['of one arm, as the gateway says', { role: 'gateway', read: ['self-reported'] }, { budgetMs: 7 }],
    ['of latency, with failures', { failures: { KT_HTTP_5XX: 2 } }, { thresholds: [threshold('latency.p99<20ms')] }],
    ['of errors', { failures: { KT_HTTP_5XX: 1 } }, { thresholds: [threshold('errors.rate<1%')] }],
    ['of errors, none', {}, { thresholds: [threshold('errors.rate<1%')] }],
    ['of the growth', { ...stamped, added: around(2.4) }, { maxRegression: { ms: 0.5, share: 0.1 } }],
  ])('%s is that of its report', (_name, shape, asked) => {
    const run = makeRun({ role: 'gateway', ...shape }, ({ arms: [, baseline] }) => {
      if (baseline && asked.maxRegression) Object.assign(baseline, { name: 'target', role: 'gateway' })
    })
    const check = judgeBench(run, { ...NOTHING, ...asked })?.checks[0]
    const [margin] = margins(run, asked)
    expect(margin).toMatchObject({ metric: check?.metric, verdict: check?.verdict })
    expect(margin?.value).toBeCloseTo(check?.value ?? Number.NaN, 3)
    expect(margin?.limit).toBeCloseTo(check?.limit ?? Number.NaN, 3)
    if (check?.ci95) expect([margin?.low, margin?.high]).toEqual([round(check.ci95[0]), round(check.ci95[1])])
  })
})

/** A report has microseconds, and no bound where there is none. */
function round(bound: number | null): unknown {
  return bound === null ? Number.POSITIVE_INFINITY : expect.closeTo(bound, 3)
}

describe('the forecast', () => {
  it.each([
    ['pass', fixed(2), 'pass'],
    ['fail', (random: () => number) => (random() < 0.06 ? 12_000 : 2_000), 'fail'],
  ])('of blocks that are all alike comes true: %s', (_name, added, verdict) => {
    const run = makeRun({ role: 'gateway', requests: 800, blocks: 40, added, direct: { added: fixed(0.1) } })
    const early = margins(run, { budgetMs: 7 }, 4)[0]
    expect(early).toMatchObject({ verdict: 'inconclusive', later: { verdict } })
    const { blocks = 0 } = early?.later ?? {}
    expect(blocks).toBeGreaterThan(4)
    expect(margins(run, { budgetMs: 7 }, blocks)[0]?.verdict).toBe(verdict)
    expect(margins(run, { budgetMs: 7 }, blocks - 1)[0]?.verdict).not.toBe('pass')
  })

  it('of pairs comes true too, and is not given where the run is too short for it', () => {
    const run = makeRun({ role: 'gateway', requests: 2_000, blocks: 40, drifts: 0.05, ...unstamped, added: around(2) })
    const early = margins(run, { budgetMs: 7 }, 6)[0]
    expect(early?.later?.verdict).toBe('pass')
    expect(margins(run, { budgetMs: 7 }, early?.later?.blocks)[0]?.verdict).toBe('pass')
    const short = margins(run, { budgetMs: 7 }, 6, 8)[0]
    expect(short?.later).toBeUndefined()
    expect(short?.requestsNeeded).toBeGreaterThan(0)
  })

  it('is none where the figure lies at the limit', () => {
    const run = makeRun({ role: 'gateway', requests: 2_000, blocks: 20, ...unstamped, added: fixed(7) })
    expect(margins(run, { budgetMs: 7 }, 12, 40)[0]?.later).toBeUndefined()
  })
})

it('without a limit there is an interval and no verdict, with one arm and no reading there is nothing', () => {
  const [margin] = margins(makeRun({ role: 'gateway', ...stamped }), {})
  expect(margin).toMatchObject({ metric: 'overhead.p99', limit: null, verdict: 'inconclusive' })
  expect(margin?.low).toBeGreaterThan(2)
  const [pair] = margins(makeRun({ role: 'gateway', ...unstamped }), {})
  expect([pair?.source, pair?.limit]).toEqual(['by pairs of blocks', null])
  expect(pair?.low).toBeLessThan(pair?.value ?? 0)
  expect(margins(makeRun({ read: [] }), {})).toEqual([])
  expect(margins(makeRun({ read: [] }), {}, 0)).toEqual([])
})

it('the overhead comes first, and a budget holds for what is added to tokens too', () => {
  const run = makeRun({ role: 'gateway', ...stamped })
  const arms = [run.blocks, run.baseline?.blocks ?? []].map((all) => all.map(soFar))
  for (const block of arms[0] ?? []) block.metrics.addedTtft = block.stamped
  const thresholds = [threshold('latency.p99<90ms'), threshold('overhead.p50<3ms')]
  const all = liveMargins(arms[0] ?? [], arms[1] ?? [], {
    ...{ budgetMs: 7, holdMs: 100, maxRegression: undefined, thresholds, mostBlocks: 20 },
  })
  expect(all.map(({ metric, limit }) => [metric, limit])).toEqual([
    ['overhead.p50', 3],
    ['addedTtft.p99', 7],
    ['latency.p99', 90],
  ])
  expect(metricsOf({ thresholds: [threshold('ttft.p99<1s')] })).toContain('ttft')
})
