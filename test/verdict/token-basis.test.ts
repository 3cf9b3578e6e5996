// Tokens that were counted on different bases, and rates that were not reached: what stands beside what, and what
// passes.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { renderSweep } from '../../src/output/sweep-table.ts'
import { primaryRun } from '../../src/report/runs.ts'
import type { ArmResult, BenchReport } from '../../src/report/schema.ts'
import { SWEEP_SCHEMA, type SweepLevel, type SweepReport } from '../../src/report/sweep-schema.ts'
import { otherTokenBasis } from '../../src/report/token-basis.ts'
import { parseThreshold, type Threshold } from '../../src/slo/threshold.ts'
import { compareReports } from '../../src/verdict/compare.ts'
import { readHistory } from '../../src/verdict/history.ts'
import { clientWord } from '../../src/verdict/rate.ts'
import { judgeRuns, MAX_REGRESSION } from '../../src/verdict/verdict.ts'
import { makeReport, makeRun, type ReportShape } from '../support/make-report.ts'
import { EXPLAINED } from '../support/page.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

type Throughput = ArmResult['throughput']
type Source = Throughput['tokenSource']

/** A report of this version: it says how many answers were counted by what. */
function reported(tokenSource: Source, more: Partial<Throughput> = {}, shape: ReportShape = {}) {
  return makeReport({ role: 'gateway', requests: 200, ...shape }, (_, { throughput, totals }) => {
    const by = { mixed: ['usage', 'tokenizer'], none: [] }[tokenSource as string] ?? [tokenSource]
    const answers = Object.fromEntries(by.map((source) => [source, totals.successful / by.length]))
    Object.assign(throughput, { tokenSource, counted: { usage: 0, tokenizer: 0, events: 0, ...answers }, ...more })
  })
}

const counted = (...asked: Parameters<typeof reported>) => primaryRun(reported(...asked))

const earlier = (shape: ReportShape = {}) => makeRun({ role: 'gateway', requests: 200, ...shape })

describe('tokens of two runs', () => {
  it.each([
    ['both by usage', counted('usage'), counted('usage'), undefined],
    ['by usage and a tokenizer', counted('usage'), counted('tokenizer'), 'counts them by'],
    ['both partly by usage', counted('mixed'), counted('mixed'), 'in shares that may differ'],
    ['one without any', counted('usage'), counted('none'), undefined],
    ['an earlier report without failures', earlier(), counted('usage', { hiddenTokensPerSec: 5 }), undefined],
    ['an earlier one with failures', earlier({ failures: { KT_HTTP_5XX: 1 } }), counted('usage'), 'failed answers too'],
    [
      'an earlier stream beside hidden reasoning',
      earlier({ stream: true }),
      counted('usage', { hiddenTokensPerSec: 5 }, { stream: true }),
      'left hidden reasoning out',
    ],
    ['two earlier ones', earlier(), earlier({ failures: { KT_HTTP_5XX: 1 } }), undefined],
  ])('%s', (_, a, b, why) => {
    for (const found of [otherTokenBasis(a, b), otherTokenBasis(b, a)]) {
      if (why === undefined) expect(found).toBeUndefined()
      else expect(found).toContain(why)
    }
  })

  it('are compared on one basis only, and else it is said', () => {
    const rules = { budgetMs: 7, maxRegression: MAX_REGRESSION, thresholds: [], primary: true, allowDifferent: false }
    const files = { baseline: 'a.json', gateway: 'b.json' }
    const compared = (other: Source) =>
      compareReports(counted('usage'), counted(other, {}, { seed: 2 }), { files, noGate: false, ...rules })
    const [same, different] = [compared('usage'), compared('tokenizer')]
    expect(same.rows.some(({ metric }) => metric === 'throughput.tokens')).toBe(true)
    expect(different.rows.map(({ metric }) => metric)).toContain('throughput.requests')
    expect(different.rows.some(({ metric }) => metric === 'throughput.tokens')).toBe(false)
    expect(different.notes).toContain('tokens are not compared: one run counts them by usage, the other by tokenizer')
  })

  it('are one history on one basis only', () => {
    const folder = dir.file('history')
    mkdirSync(folder)
    const sources: Source[] = ['usage', 'tokenizer', 'usage']
    for (const [day, source] of sources.entries()) {
      const report = { ...reported(source, {}, { seed: day }), startedAt: `2026-11-0${day + 1}T03:00:00.000Z` }
      writeFileSync(join(folder, `${day}.json`), JSON.stringify(report))
    }
    const { runs, left } = readHistory(folder, 'throughput.tokens')
    expect(runs.map(({ file }) => file)).toEqual(['0.json', '2.json'])
    expect(left).toEqual([
      {
        file: '1.json',
        why: 'its tokens are not those of the newest run: one run counts them by usage, the other by tokenizer',
      },
    ])
    expect(readHistory(folder, 'throughput.rps').runs).toHaveLength(3)
  })
})

describe('a sweep', () => {
  const level = (number: number, tokenSource: Source): SweepLevel => ({
    level: number,
    ...{ requests: 10, failed: 0, achievedRps: number, throughputError: 0.1, eventsPerSec: 0, bytesPerSec: 100 },
    ...{ inputTokensPerSec: 11_000 + number, outputTokensPerSec: 22_000 + number, tokenSource },
    ...{ inFlight: null, gateway: null, latencyMs: null, ttftMs: null, tpotMs: null, interTokenMs: null },
    ...{ overheadMs: null, client: 'rate-not-reached', achievedToOffered: 0.5, steady: true, skippedBlocks: 0 },
  })
  const report: SweepReport = {
    schema: SWEEP_SCHEMA,
    kt: { version: '0.1.0', gitSha: null },
    startedAt: '2026-11-01T03:00:00.000Z',
    ...{ command: 'kt bench sweep', interrupted: false, machine: { cpuModel: 'x', cores: 2, node: 'v24' } },
    target: { url: 'http://127.0.0.1:1', endpoint: 'chat', model: 'm', stream: false, role: 'gateway' },
    load: { mode: 'open', levels: [1, 2], stepS: 1, seed: 1, options: {} },
    ...{ workload: { name: 'w', sha256: '' }, overheadSource: null, scaling: null },
    curves: [
      {
        gatewayWorkers: null,
        levels: [level(1, 'usage'), level(2, 'tokenizer')],
        ...{ knee: null, frontier: [], until: null },
      },
    ],
  }

  it('shows tokens on one basis, names it, and marks levels that did not reach their rate', () => {
    const text = renderSweep(report, EXPLAINED)
    expect(text).toContain('tokens counted by usage; - where they were counted by tokenizer')
    expect(text).toContain('11,001')
    expect(text.match(/22,00\d/g)).toHaveLength(1)
    expect(text).toMatch(/ <$/m)
    expect(text).toContain('< rate not reached')
  })
})

describe('a run that did not reach its rate', () => {
  const slow = (achievedToOffered: number | null, verdict: BenchReport['client']['verdict'] = 'ok') =>
    makeRun({ role: 'gateway' }, ({ client }) => Object.assign(client, { achievedToOffered, verdict }))
  const thresholds = ['overhead.p99<50ms', 'throughput.rps>1', 'errors.rate<50%'].flatMap((text): Threshold[] => {
    const parsed = parseThreshold(text)
    return parsed.ok ? [parsed.value] : []
  })

  const judged = (achievedToOffered: number) =>
    judgeRuns([{ context: { gateway: slow(achievedToOffered) }, thresholds, others: [] }])

  it('does not read ok, in reports of earlier versions either', () => {
    expect(clientWord(slow(0.04).client)).toBe('rate not reached')
    expect(clientWord(slow(0.04, 'rate-not-reached').client)).toBe('rate not reached')
    expect(clientWord(slow(0.04, 'saturated').client)).toBe('saturated')
    expect([slow(0.99), slow(null)].map(({ client }) => clientWord(client))).toEqual(['ok', 'ok'])
  })

  it('passes no limit on durations, and says why; a rate that was reached passes', () => {
    const { checks } = judged(0.04)
    expect(checks.map(({ verdict }) => verdict)).toEqual(['inconclusive', 'pass', 'pass'])
    expect(checks[0]?.why).toContain('but only 4.0 % of the requested rate was reached')
    expect(judged(0.99).verdict).toBe('pass')
  })
})
