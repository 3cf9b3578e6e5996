import { describe, expect, it } from 'vitest'
import { renderComparison } from '../../src/output/compare-table.ts'
import { makePage } from '../../src/output/table.ts'
import type { Check, Run } from '../../src/report/schema.ts'
import { type Comparison, compareReports } from '../../src/verdict/compare.ts'
import { MAX_REGRESSION } from '../../src/verdict/verdict.ts'
import { around, fixed, makeRun, type ReportShape } from '../support/make-report.ts'
import { PAGE } from '../support/page.ts'

const files = { baseline: 'baseline.json', gateway: 'gateway.json' }

type Change = Parameters<typeof makeRun>[1]

const direct = (shape: ReportShape = {}, change?: Change) =>
  makeRun({ added: around(0.2), role: 'direct', seed: 10, ...shape }, change)
const through = (shape: ReportShape = {}, change?: Change) => makeRun({ role: 'gateway', seed: 20, ...shape }, change)

const rules = { budgetMs: 7, maxRegression: MAX_REGRESSION, thresholds: [], primary: true, allowDifferent: false }

function compare(baseline: Run, gateway: Run, more: Partial<Parameters<typeof compareReports>[2]> = {}): Comparison {
  return compareReports(baseline, gateway, { files, noGate: false, ...rules, ...more })
}

function checkOf(comparison: Comparison): Check {
  const [check] = comparison.gate?.checks ?? []
  if (!check) throw new Error('no verdict')
  return check
}

const row = (comparison: Comparison, metric: string) => comparison.rows.find((candidate) => candidate.metric === metric)

describe('comparing two runs', () => {
  it('judges by the stamps, with the baseline as the floor', () => {
    const comparison = compare(direct(), through())
    expect(comparison.judgedBy).toMatchObject({ definition: 'provider-stamped', floor: 'the baseline' })
    expect(checkOf(comparison)).toMatchObject({ metric: 'overhead.p99', op: '<', limit: 7, verdict: 'pass' })
    expect(comparison.mode).toBe('overhead')
    expect(comparison.overhead.map((entry) => entry.of)).toEqual(['gateway', 'floor'])
  })

  it.each([
    [0.3, 'pass'],
    [20, 'fail'],
  ])('+%f ms against 7 ms: %s by stamps, by self-report and by difference', (ms, verdict) => {
    for (const read of [['provider-stamped'], ['self-reported'], []] as const) {
      const gateway = through({ added: fixed(ms), read: [...read] })
      expect(compare(direct({ read: [] }), gateway).gate?.verdict).toBe(verdict)
    }
  })

  it('leaves +6.5 ms on a difference open, with the number of requests that would decide it', () => {
    const check = checkOf(compare(direct({ read: [] }), through({ added: fixed(6.5), read: [] })))
    expect(check).toMatchObject({ verdict: 'inconclusive', metric: 'delta.latency.p99' })
    expect(check.requestsNeeded).toBeGreaterThan(2_000)
  })

  it('names a self-report for what it is', () => {
    const comparison = compare(direct(), through({ read: ['self-reported'] }))
    expect(comparison.judgedBy).toMatchObject({
      definition: 'self-reported',
      source: 'Test Gateway, x-test-overhead-ms',
      caveat: expect.stringContaining('under-reports'),
      floor: null,
    })
  })

  it("takes the floor from the run's own direct arm where there is one", () => {
    const comparison = compare(direct(), through({ direct: { added: around(0.1) } }))
    expect(comparison.judgedBy?.floor).toBe('the direct arm of the same run')
  })

  it('does not take a second gateway for the floor', () => {
    const comparison = compare(through({ added: around(3), seed: 30 }), through(), { mode: 'overhead' })
    expect(comparison.judgedBy?.floor).toBeNull()
    expect(comparison.gate?.verdict).toBe('pass')
    expect(comparison.notes.join()).toContain('measured through a gateway too')
  })

  it('gives differences, intervals and relative changes', () => {
    const comparison = compare(direct(), through())
    const p50 = row(comparison, 'latency.p50')
    expect(p50?.delta).toBeCloseTo((p50?.gateway ?? 0) - (p50?.baseline ?? 0), 5)
    expect(p50?.deltaShare).toBeCloseTo((p50?.delta ?? 0) / (p50?.baseline ?? 1), 10)
    expect(p50?.iid95?.gateway?.[0]).toBeLessThan(p50?.gateway ?? 0)
    expect(row(comparison, 'latency.p99')?.fewBeyond).toBeUndefined()
    expect(row(comparison, 'errors.rate')).toMatchObject({ baseline: 0, gateway: 0, delta: 0, deltaShare: null })
    expect(row(comparison, 'throughput.requests')).toMatchObject({ baseline: 200, unit: 'per second' })
    expect(row(comparison, 'ttft.p50')).toBeUndefined()
  })

  it('adds the rows of streams', () => {
    const comparison = compare(direct({ stream: true }), through({ stream: true }))
    const families = new Set(comparison.rows.map(({ metric }) => metric.split('.')[0]))
    expect([...families]).toEqual(['latency', 'ttfb', 'ttft', 'tpot', 'interToken', 'throughput', 'errors'])
  })

  it('prints the figures of fifty requests, and says how many a P99 takes', () => {
    const comparison = compare(direct({ requests: 50, blocks: 10 }), through({ requests: 50, blocks: 10 }))
    expect(checkOf(comparison)).toMatchObject({ verdict: 'inconclusive', requestsNeeded: 440 })
    expect(row(comparison, 'latency.p99')).toMatchObject({ fewBeyond: true })
  })

  it.each<[string, Change]>([
    ['workload', ({ load }) => Object.assign(load.workload, { sha256: 'b'.repeat(64) })],
    ['endpoint', ({ target }) => Object.assign(target, { endpoint: 'completions' })],
    ['stream', ({ target }) => Object.assign(target, { stream: true })],
    ['load', ({ load }) => Object.assign(load, { concurrency: 20 })],
    ['load', ({ load }) => Object.assign(load, { mode: 'open', rps: 10, concurrency: null })],
    ['machine', ({ machine }) => Object.assign(machine, { cpuModel: 'Other CPU' })],
  ])('refuses a verdict over another %s', (what, change) => {
    const comparison = compare(direct(), through({}, change))
    expect(checkOf(comparison)).toMatchObject({
      verdict: 'inconclusive',
      why: `not comparable: ${what} of the two runs differ`,
    })
    expect(comparison.judgedBy).toBeNull()
    expect(comparison.rows.length).toBeGreaterThan(4)
  })

  it('takes arrivals of another burstiness for another load', () => {
    const bursts =
      (burstiness: number): Change =>
      ({ load: asked }) =>
        void Object.assign(asked, { mode: 'open', rps: 10, concurrency: null, arrival: 'gamma', burstiness })
    const load = (comparison: Comparison) => comparison.differences.find(({ what }) => what === 'load')
    expect(load(compare(direct({}, bursts(0.5)), through({}, bursts(0.5))))).toBeUndefined()
    expect(load(compare(direct({}, bursts(0.5)), through({}, bursts(4))))).toMatchObject({
      baseline: 'open, 10 requests/s, gamma arrivals of burstiness 0.5',
      gateway: 'open, 10 requests/s, gamma arrivals of burstiness 4',
      forbids: true,
    })
  })

  it('lists what differs and does not matter', () => {
    const comparison = compare(
      direct(),
      through({}, (report) => {
        report.load.seed = 9
        report.kt.version = '0.2.0'
        report.target.model = 'gpt-4o'
      }),
    )
    expect(comparison.differences.map(({ what, forbids }) => [what, forbids])).toEqual([
      ['model', false],
      ['seed', false],
      ['kt', false],
    ])
    expect(comparison.gate?.verdict).toBe('pass')
  })

  it('refuses another model where latencies are compared', () => {
    const other: Change = ({ target }) => Object.assign(target, { model: 'gpt-4o' })
    const comparison = compare(direct({ read: [] }), through({ read: [] }, other))
    expect(checkOf(comparison).why).toBe('not comparable: model of the two runs differ')
  })

  it.each(['saturated', 'noisy'] as const)('says what a %s client means', (verdict) => {
    const doubt: Change = ({ client }) => Object.assign(client, { verdict, why: ['the reason'] })
    const comparison = compare(direct(), through({}, doubt))
    expect(comparison.gate?.verdict).toBe(verdict === 'noisy' ? 'pass' : 'inconclusive')
    expect(comparison.notes).toContainEqual(`client of the gateway run: ${verdict}; the reason`)
  })

  it('does not pass over a floor that eats the budget', () => {
    expect(checkOf(compare(direct({ added: around(1.5) }), through({ added: around(2) }))).why).toContain(
      'over a quarter of the budget',
    )
  })

  it('judges no run without an answer', () => {
    const broken = { requests: 100, failures: { KT_CONNECT: 5 } } as const
    const nothing = compare(direct(), through(broken))
    expect(checkOf(nothing)).toMatchObject({ verdict: 'inconclusive', why: 'every request through the gateway failed' })
    expect(row(nothing, 'latency.p50')).toMatchObject({ gateway: null, delta: null })
    expect(checkOf(compare(direct(broken), through())).why).toBe('every request of the baseline failed')
  })

  it('fails a gateway that loses requests, and leaves those in flight at the end open', () => {
    expect(compare(direct(), through({ failures: { KT_HTTP_5XX: 5 } })).gate?.verdict).toBe('fail')
    expect(compare(direct(), through({ failures: { KT_ABORTED_AT_DEADLINE: 5 } })).gate?.verdict).toBe('inconclusive')
  })

  it('sees that the files are swapped', () => {
    expect(checkOf(compare(through(), direct())).why).toContain('swapped')
  })

  it('gives no verdict when none was asked for', () => {
    expect(compare(direct(), through(), { noGate: true }).gate).toBeNull()
  })
})

describe('the table', () => {
  const every: [string, Comparison][] = [
    ['pass', compare(direct({ stream: true }), through({ stream: true, read: ['provider-stamped', 'self-reported'] }))],
    ['fail', compare(direct(), through({ added: fixed(20) }))],
    ['open', compare(direct({ read: [] }), through({ added: fixed(6.5), read: [] }))],
    ['few', compare(direct({ requests: 50, blocks: 10 }), through({ requests: 50, blocks: 10 }))],
    ['slow', compare(direct({ upstream: around(20_000) }), through({ upstream: around(20_000) }))],
    [
      'other machine',
      compare(
        direct(),
        through({}, ({ machine }) => Object.assign(machine, { cpuModel: 'x'.repeat(60) })),
      ),
    ],
    ['dead', compare(direct(), through({ requests: 100, failures: { KT_CONNECT: 5 } }))],
  ]

  it.each(every)('of %s fits 80 columns and is plain without colour', (_, comparison) => {
    const lines = renderComparison(comparison, PAGE).split('\n')
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines.join('')).not.toContain('\u001b')
  })

  it('ends with the verdict', () => {
    const last = (name: string): string => {
      const found = every.find(([key]) => key === name)?.[1]
      return found ? (renderComparison(found, PAGE).split('\n\n').at(-1) ?? '').replaceAll(/\s+/g, ' ') : ''
    }
    expect(last('pass')).toMatch(
      /^PASS P99 overhead 1\.\d+ ms \[.*\] < 7 ms \(share over 7 ms: 0 % of 2,000, upper bound 0\.22 %\)\. Keep/,
    )
    expect(last('fail')).toMatch(/^FAIL P99 overhead 20\.0 ms \[20\.0, 20\.0\] >= 7 ms \(share over 7 ms: 100 %/)
    expect(last('few')).toMatch(
      /INCONCLUSIVE P99 overhead .*\(too few requests for a P99: 50 of at least 437; about 440 requests would/,
    )
    expect(last('dead')).toContain('INCONCLUSIVE P99 overhead (every request through the gateway failed)')
  })

  it('colours when asked to', () => {
    expect(renderComparison(compare(direct(), through()), makePage(80, true))).toContain('\u001b[32')
  })
})
