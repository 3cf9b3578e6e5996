// Every page fits the width of its terminal, from 60 to 200 columns; the usual one fits 24 lines of 80; the answer is
// its first line and its last.
import fc from 'fast-check'
import stringWidth from 'string-width'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diagnose } from '../../src/doctor/doctor.ts'
import { parseDoctorOptions } from '../../src/doctor/options.ts'
import { renderBench } from '../../src/output/bench-table.ts'
import { renderComparison } from '../../src/output/compare-table.ts'
import { renderDoctor } from '../../src/output/doctor-table.ts'
import { renderPlan } from '../../src/output/plan-table.ts'
import { renderSlo } from '../../src/output/slo-table.ts'
import { sweepAnswer } from '../../src/output/sweep-answer.ts'
import { renderSweep } from '../../src/output/sweep-table.ts'
import { makePage, type Page } from '../../src/output/table.ts'
import { parsePlanFlags } from '../../src/planning/plan-options.ts'
import { planReport } from '../../src/planning/plan-request.ts'
import { primaryRun } from '../../src/report/runs.ts'
import type { BenchReport } from '../../src/report/schema.ts'
import { compareSides, readSides } from '../../src/verdict/compare-files.ts'
import { checkSlo } from '../../src/verdict/slo-file.ts'
import { around, fixed, makeReport, type ReportShape } from '../support/make-report.ts'
import { makeLevel, makeSweep } from '../support/make-sweep.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const usual = { showTtfb: false, details: {}, stopped: null, verdict: null }
const demo: ReportShape = { requests: 1_500, role: 'gateway', read: ['provider-stamped', 'self-reported'] }
const parts = { components: { routing: around(0.02), input_policy: around(0.4), connection_acquisition: around(0.1) } }

/** The demo's runs, and worse ones. */
const BENCHES: [string, BenchReport, Partial<Parameters<typeof renderBench>[1]>][] = [
  ['whole answers', makeReport({ ...demo, ...parts }), {}],
  ['two arms', makeReport({ ...demo, ...parts, direct: { requests: 1_500, added: around(0.1) } }), {}],
  ['streams', makeReport({ ...demo, stream: true }), { showTtfb: true }],
  ['the provider itself', makeReport({ ...demo, role: 'direct' }), {}],
  ['a gateway that tells nothing', makeReport({ ...demo, role: 'unknown', read: [] }), {}],
  [
    'failures',
    makeReport({ ...demo, failures: { KT_HTTP_5XX: 3 } }),
    { details: { KT_HTTP_5XX: 'status 500, said the target: '.padEnd(300, 'x') } },
  ],
  [
    'failures of two classes',
    makeReport({ ...demo, ...parts, failures: { KT_RESET: 3, KT_HTTP_5XX: 2 } }),
    { details: { KT_HTTP_5XX: 'status 503', KT_RESET: 'the other side reset the connection' } },
  ],
  ['nothing but failures', makeReport({ requests: 20, blocks: 1, failures: { KT_CONNECT: 20 } }), {}],
  ['slow ones', makeReport({ ...demo, upstream: around(20_000), stream: true }), {}],
]

const compare = (gateway: ReportShape) =>
  compareSides(
    readSides({
      baseline: dir.write('baseline.json', makeReport({ ...demo, role: 'direct', added: around(0.2) })),
      gateway: dir.write('gateway.json', makeReport({ ...demo, ...parts, seed: 3, ...gateway })),
    }),
    {
      ...{
        mode: undefined,
        budget: 7,
        'budget-hold': undefined,
        budgets: undefined,
        'budget-file': undefined,
        'max-regression': undefined,
      },
      ...{ threshold: undefined, noise: undefined, 'allow-different': false, 'no-gate': false, json: false },
      explain: false,
    },
  )

type Render = (page: Page) => string
let pages: [string, Render][] = []

beforeAll(async () => {
  const config = dir.write(
    'bad.yaml',
    'gateway:\n  upstream: { keep_alive: { enabled: false } }\n' +
      '  warmup: { enabled: false }\n  cache: { enabled: false }\n',
  )
  const hooks = { note: () => {}, interrupt: new AbortController().signal }
  const { result } = await diagnose(parseDoctorOptions({ config }), hooks)
  const { plan } = await planReport(parsePlanFlags({ 'input-peak': '80M', 'output-peak': '10M' }, 'kt plan'))
  const sloResult = checkSlo(dir.write('slo.json', makeReport({ ...demo, upstream: around(400) })), 'chat-short')
  const sweep = makeSweep([1, 2, 4, 8, 16, 32, 64].map((level) => makeLevel(level, 0.5 * level)))
  const wide = makeSweep(
    [1_000, 2_000].map((level) => makeLevel(level, 12_345.678, { client: 'noisy', failed: 3, steady: false })),
  )
  // Compared once: the pages below are drawn at many widths.
  const [passed, failed, streams] = [
    compare({}),
    compare({ added: fixed(20) }),
    compare({ stream: true, requests: 60 }),
  ]
  pages = [
    ...BENCHES.map(([name, report, view]): [string, Render] => [
      `bench: ${name}`,
      (page) => renderBench(report, { ...usual, ...view }, page),
    ]),
    ['compare: pass', (page) => renderComparison(passed, page)],
    ['compare: fail', (page) => renderComparison(failed, page)],
    ['compare: streams', (page) => renderComparison(streams, page)],
    ['sweep', (page) => renderSweep(sweep, page)],
    ['sweep: wide', (page) => renderSweep(wide, page)],
    ['slo', (page) => renderSlo(sloResult, page)],
    ['plan', (page) => renderPlan(plan, page)],
    // A patch is there to be copied, and is not broken: its lines are short.
    ['doctor', (page) => renderDoctor(result, page)],
  ]
})

const squeezed = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

describe('a page', () => {
  it('has no line wider than its terminal', () => {
    const width = fc.integer({ min: 60, max: 200 })
    fc.assert(
      fc.property(width, fc.boolean(), fc.boolean(), (columns, color, explain) => {
        for (const [name, render] of pages) {
          const page = makePage(columns, color, explain)
          const over = render(page)
            .split('\n')
            .filter((line) => stringWidth(line) > columns)
          expect(over, `${name} at ${columns}`).toEqual([])
        }
      }),
      {
        numRuns: 25,
        examples: [
          [60, false, true],
          [60, false, false],
          [80, true, true],
          [200, false, true],
        ],
      },
    )
  })

  it('begins and ends with its answer', () => {
    for (const [name, render] of pages.filter(([name]) => name !== 'plan')) {
      const [first, ...others] = render(makePage(80, false)).split('\n\n')
      expect(squeezed(others.at(-1) ?? ''), name).toBe(squeezed(first ?? ''))
      expect(first?.length, name).toBeGreaterThan(20)
    }
  })

  it.each([
    [80, 24],
    [120, 40],
  ])('fits a terminal of %i columns and %i lines, but for a plan and the patches of a doctor', (columns, lines) => {
    for (const [name, render] of pages.filter(([name]) => name !== 'plan' && name !== 'doctor')) {
      const text = render(makePage(columns, false))
      const count = text.split('\n').length
      expect(count, `${name}\n${text}`).toBeLessThanOrEqual(lines)
      expect(count, name).toBeGreaterThan(8)
    }
  })

  it('has the classes of failures in a line each, the commonest first, and the rest with --explain', () => {
    const render = pages.find(([name]) => name === 'bench: failures of two classes')?.[1]
    const text = render?.(makePage(80, false)) ?? ''
    expect(text).toMatch(/^ {2}KT_RESET {2}60 x the connection was closed before an answer: "the other/m)
    expect(text).toMatch(/^ {2}KT_HTTP_5XX {2}40 x the target failed \(5xx\): "status 503"$/m)
    expect(text.indexOf('KT_RESET')).toBeLessThan(text.indexOf('KT_HTTP_5XX'))
    expect(text).toContain('Look at the log of the target.')
    expect(render?.(makePage(80, false, true))).toMatch(/to see whether\s+load causes it/)
  })
})

describe('the block of the guide', () => {
  it('holds requests, latency, throughput and one overhead, in this order', () => {
    const [, report] = BENCHES[1] ?? []
    const text = report ? renderBench(report, usual, makePage(80, false)) : ''
    expect(text).toMatch(
      /Benchmark Results: .*\n +Total Requests: +1,500\n +Successful: +1,500\n +Failed: +0\n +Duration: +10 s\n/,
    )
    expect(text).toMatch(/Latency \(ms\):\n +P50: +\S+\n +P90: +\S+\n +P95: +\S+\n +P99: +\S+\n +Max: +\S+\n/)
    expect(text).toMatch(/Throughput:\n +Requests\/sec: +150\n +Tokens\/sec: +2,250\n/)
    expect(text).toMatch(/Gateway Overhead:\n +P50: +\S+ ms .*\n +P99: +\S+ ms .*\n\n/)
    expect(text.match(/Gateway Overhead/g)).toHaveLength(1)
  })

  it('has the statistics that were asked for, of latency and overhead', () => {
    const [, report] = BENCHES[0] ?? []
    const statistics = ['mean', 'stddev', 'min', 0.5, 0.999] as const
    const text = report ? renderBench(report, { ...usual, statistics }, makePage(80, false)) : ''
    expect(text.match(/^ +(Mean|Std dev|Min|P50|P99\.9): +[\d.]+/gm)).toHaveLength(10)
    expect(text).not.toContain('P95')
    const run = report && primaryRun(report)
    expect(text).toContain(`Mean:         ${run?.latencyMs?.mean.toFixed(1)}`)
    expect(run?.latencyMs?.min).toBeLessThan(run?.latencyMs?.p50 ?? 0)
    expect(run?.latencyMs?.stdDev).toBeGreaterThan(0)
  })
})

describe('an answer', () => {
  const first = (name: string): string =>
    squeezed(
      pages
        .find(([known]) => known === name)?.[1](makePage(80, false))
        .split('\n\n')[0] ?? '',
    )

  it.each([
    [
      'bench: whole answers',
      /^The gateway adds \S+ ms \[\S+, \S+\] at P50 and \S+ ms \[\S+, \S+\] at P99\. --budget 7ms/,
    ],
    ['bench: the provider itself', /^P99 latency is \S+ ms .* of the provider itself.*--baseline-url to see/],
    [
      'bench: a gateway that tells nothing',
      /cannot be told\. Give its provider as --baseline-url, or put 'kt provider/,
    ],
    ['bench: failures', /60 of 1,500 requests failed\./],
    ['bench: nothing but failures', /^Every request failed: 20 x KT_CONNECT, the connection .*Check that the target/],
    ['compare: pass', /^PASS P99 overhead \S+ ms \[\S+, \S+\] < 7 ms \(/],
    ['compare: fail', /^FAIL P99 overhead 20\.0 ms .* >= 7 ms \(/],
    [
      'sweep',
      /^The gateway adds under 7 ms at P99 up to 8 in flight \(800 requests\/s\): 4\.00 ms \[3\.20, 5\.20\] there\. /,
    ],
    ['slo', /^(PASS|FAIL|INCONCLUSIVE) \S+/],
    ['doctor', /^Found .*\d warnings.*, the worst: .*Each finding names its fix/],
  ])('of %s', (name, pattern) => {
    expect(first(name)).toMatch(pattern)
  })

  it('of a sweep says where the interval of the level exceeds the limit', () => {
    const { text } = sweepAnswer(makeSweep([makeLevel(8, 6)]))
    expect(text).toContain('up to 8 in flight (800 requests/s): 6.00 ms [4.80, 7.80] there, which is not proven.')
  })
})
