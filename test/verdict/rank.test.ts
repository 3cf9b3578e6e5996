// Several gateways of one run: their order, what is proven of it and how often wrongly, and the verdict on each of
// them.
import { describe, expect, it } from 'vitest'
import { type BenchQuestion, judgeBench } from '../../src/bench/judge-bench.ts'
import { toCsv } from '../../src/exports/csv.ts'
import { toOpenMetrics } from '../../src/exports/openmetrics.ts'
import { renderBenchMarkdown } from '../../src/output/bench-markdown.ts'
import { renderBench } from '../../src/output/bench-table.ts'
import { differenceSentence, gatewaysOf, rankingSentence } from '../../src/output/gateways-table.ts'
import { renderJunit } from '../../src/output/junit.ts'
import { makePage } from '../../src/output/table.ts'
import { reportDocument } from '../../src/page/bench-document.ts'
import { runsOf, splitReport } from '../../src/report/runs.ts'
import type { ArmResult, BenchReport } from '../../src/report/schema.ts'
import { rankGateways } from '../../src/verdict/rank.ts'
import { around, fixed, makeGateways } from '../support/make-report.ts'

const direct = { requests: 1_000, added: around(0.1) }
const three = makeGateways(
  { slow: { added: around(6) }, quick: { added: around(1) }, same: { added: around(1) } },
  { requests: 1_000, direct },
)
const nothing: BenchQuestion = { budgetMs: undefined, maxRegression: undefined, thresholds: [] }
const ranked = (report: BenchReport): BenchReport => ({ ...report, ranking: rankGateways(runsOf(report)) })

describe('the order of gateways', () => {
  it('proves what differs, and does not tell apart what is alike', () => {
    const ranking = rankGateways(runsOf(three))
    expect(ranking).toMatchObject({ of: 'overhead', errorProbability: 0.01 })
    const places = new Map(ranking?.gateways.map((one) => [one.name, one]))
    expect(places.get('slow')).toMatchObject({ rankP50: [3, 3], rankP99: [3, 3] })
    for (const name of ['quick', 'same']) expect(places.get(name)).toMatchObject({ rankP50: [1, 2], rankP99: [1, 2] })
    for (const { lower, higher, proven, ci95, differenceMs } of ranking?.differences ?? []) {
      expect([higher, proven]).toEqual(higher === 'slow' ? ['slow', true] : [expect.any(String), false])
      expect(ci95?.[0]).toBeLessThanOrEqual(differenceMs)
      expect(ci95?.[1]).toBeGreaterThanOrEqual(differenceMs)
      expect(lower).not.toBe('slow')
    }
  })

  it('is of latencies where not all answers have stamps, which differ by as much', () => {
    const shape = { requests: 2_000, upstream: fixed(20) }
    const unread = { one: { added: around(1), read: [] }, two: { added: around(4) } }
    const ranking = rankGateways(runsOf(makeGateways(unread, shape)))
    expect(ranking).toMatchObject({ of: 'latency', gateways: [{ name: 'one' }, { name: 'two' }] })
    const median = ranking?.differences.find(({ quantile }) => quantile === 'p50')
    expect(median).toMatchObject({ lower: 'one', higher: 'two', proven: true })
    expect(median?.differenceMs).toBeCloseTo(3, 0)
  })

  it('lays nothing side by side that gateways say of themselves', () => {
    const told = { a: { added: around(1), read: ['self-reported' as const] }, b: { added: around(2), read: [] } }
    const report = ranked(makeGateways(told, { requests: 400 }))
    expect(gatewaysOf(report)).toMatchObject({ of: 'latency', rows: [{ name: 'a' }, { name: 'b' }] })
    expect(gatewaysOf(report).rows[0]?.p50).toBeGreaterThan(4)
    expect(gatewaysOf(ranked(three))).toMatchObject({ of: 'overhead', baseline: { role: 'direct' } })
  })

  it('is of the overhead beside an old gateway too', () => {
    const { arms, ...rest } = three
    const old = { ...arms[3], name: 'target', role: 'gateway' } as ArmResult
    const report = ranked({ ...rest, arms: [arms[0], ...arms.slice(1, 3), old] })
    expect(gatewaysOf(report).of).toBe('overhead')
    expect(gatewaysOf(report).rows.at(-1)).toMatchObject({ name: 'slow', p50: expect.closeTo(6, 0) })
  })

  it('leaves out what was dropped, and proves nothing of what fails or has few blocks', () => {
    const [, ...others] = three.arms
    const dropped = { ...three.arms[0], dropped: { atS: 3, why: 'its process ended' } }
    const left = rankGateways(runsOf({ ...three, arms: [dropped, ...others] }))
    expect(left?.gateways.map(({ name }) => name).sort()).toEqual(['quick', 'same'])
    const failing = makeGateways({ a: { added: around(1), failures: { KT_HTTP_5XX: 2 } }, b: { added: around(9) } })
    const why = '2 % of the requests failed through a'
    expect(rankGateways(runsOf(failing))?.differences).toMatchObject([
      { proven: false, p: null, why },
      { proven: false, p: null, why },
    ])
    const short = makeGateways({ a: { added: around(1) }, b: { added: around(9) } }, { requests: 45, blocks: 9 })
    expect(rankGateways(runsOf(short))?.differences[0]).toMatchObject({
      why: 'too few pairs of blocks: 9 of at least 10',
    })
    expect(rankGateways(runsOf(three).slice(0, 1))).toBeUndefined()
  })
})

describe('a difference', () => {
  it('that is sure by itself and cannot be proven among so many by so few blocks is called likely', () => {
    const few = makeGateways(
      { slow: { added: around(6) }, quick: { added: around(1) }, same: { added: around(1) } },
      { requests: 100, blocks: 10, direct },
    )
    const differences = rankGateways(runsOf(few))?.differences ?? []
    const slow = differences.find(({ higher, quantile }) => higher === 'slow' && quantile === 'p50')
    if (!slow) throw new Error('no difference')
    expect(slow).toMatchObject({ proven: false, why: null })
    const sentence = differenceSentence(slow, differences.length)
    expect(sentence).toMatch(/^P50: slow is likely above (quick|same) \(4\.\S+ to 5\.\S+ ms\), and not proven among 6/)
    expect(sentence).toMatch(/ comparisons: more requests tell\.$/)
  })
})

describe('the verdict on several gateways', () => {
  const gate = judgeBench(runsOf(three), { ...nothing, budgetMs: 4 })

  it('has a check of each, and the worst decides', () => {
    expect(gate).toMatchObject({
      verdict: 'fail',
      checks: [
        { arm: 'slow', metric: 'overhead.p99', verdict: 'fail' },
        { arm: 'quick', metric: 'overhead.p99', verdict: 'pass' },
        { arm: 'same', metric: 'overhead.p99', verdict: 'pass' },
      ],
    })
    expect(judgeBench(runsOf(three), nothing)).toBeNull()
    const [slow, quick] = runsOf({ ...three, gate })
    expect([slow.gate?.verdict, quick?.gate?.verdict]).toEqual(['fail', 'pass'])
  })

  it('does not pass an arm that was dropped', () => {
    const arms = three.arms.map((arm) => {
      return arm.name === 'quick' ? { ...arm, dropped: { atS: 3, why: 'its process ended' } } : arm
    }) as BenchReport['arms']
    const checks = judgeBench(runsOf({ ...three, arms }), { ...nothing, budgetMs: 4 })?.checks
    expect(checks?.map(({ verdict }) => verdict)).toEqual(['fail', 'inconclusive', 'pass'])
    expect(checks?.[1]?.why).toMatch(/; but it was dropped after 3\.0 s: its process ended$/)
  })

  it('stands in every output with the name of its arm', () => {
    const report = { ...ranked(three), gate }
    const page = makePage(80, false)
    const text = renderBench(report, { showTtfb: false, details: {}, stopped: null, verdict: gate }, page)
    expect(text).toMatch(/^FAIL {2}slow: P99 overhead/)
    expect(text).toMatch(/\n {2}slow +6\.\d+ .* 3 .* 3\n/)
    expect(text).toMatch(/\nPASS {2}quick: P99 overhead/)
    const explained = renderBench(
      report,
      { showTtfb: false, details: {}, stopped: null, verdict: null },
      {
        ...page,
        explain: true,
      },
    )
    expect(explained).toMatch(/\n +slow: http:.*\n +quick: http:/)
    for (const line of `${text}\n${explained}`.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(rankingSentence(report)).toMatch(
      /^Which adds the least at P50 is not proven: (quick|same) .*, (quick|same) /,
    )
    const markdown = renderBenchMarkdown(report, gate)
    expect(markdown).toMatch(/\| slow \| 6\.\d/)
    const suite = { name: 'kt bench', gate: gate ?? { verdict: 'pass', checks: [] }, inconclusive: 'fail' } as const
    expect(renderJunit({ ...suite, properties: {}, timestamp: '' })).toContain('name="slow: overhead.p99 &lt; 4 ms"')
    expect(toOpenMetrics(report)).toMatch(/kt_bench_check_passed\{.*arm="quick",metric="overhead.p99".*\} 1/)
    for (const name of ['slow', 'quick', 'same', 'direct']) expect(toCsv(report)).toContain(`summary,${name},`)
  })

  it('has a page with the distributions of all arms laid over each other', () => {
    const document = reportDocument({ ...ranked(three), gate })
    const plots = document.sections.flatMap(({ plots: own = [] }) => own)
    const lines = plots.find(({ id }) => id === 'latency-cdf')?.panels[0]?.series.filter(({ kind }) => kind === 'line')
    expect(lines?.map(({ name }) => name)).toEqual(['slow', 'quick', 'same', 'direct'])
    expect(new Set(lines?.map((line) => line.kind === 'line' && line.color)).size).toBe(4)
    expect(document.sentences[0]).toMatchObject({ verdict: 'fail', text: expect.stringMatching(/^slow: /) })
  })

  it('is taken apart by names', () => {
    const parts = splitReport(ranked(three)) ?? {}
    expect(Object.keys(parts)).toEqual(['slow', 'quick', 'same', 'baseline'])
    for (const part of Object.values(parts)) expect(part).toMatchObject({ runId: three.runId, arms: [{}] })
    expect(Object.values(parts).some((part) => 'ranking' in part)).toBe(false)
  })
})

it('a gateway that changed answers is told by its name', () => {
  const changed = { every: 1, compared: 20, differing: 20, changed: 20, askedAgain: 20, notRepeated: 0, blocks: [] }
  const arms = three.arms.map((arm) => (arm.name === 'same' ? { ...arm, agreement: changed } : arm))
  const report = ranked({ ...three, arms: arms as BenchReport['arms'] })
  const text = renderBench(report, { showTtfb: false, details: {}, stopped: null, verdict: null }, makePage(200, false))
  expect(text).toMatch(/\nsame: .*changed 20 of 20/)
})
