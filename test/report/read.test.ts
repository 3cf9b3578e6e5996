import { afterAll, describe, expect, it } from 'vitest'
import { EXIT, type UserError } from '../../src/errors.ts'
import { readReport } from '../../src/report/read.ts'
import type { BenchReport } from '../../src/report/schema.ts'
import { makeReport } from '../support/make-report.ts'
import { refusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const file = (text: string): string => dir.write(`${Math.random()}.json`, text)

const refusal = (path: string): UserError => refusalOf(() => readReport(path))

const good = makeReport({ requests: 400, blocks: 10, direct: { requests: 400, blocks: 10, added: () => 200 } })
const text = JSON.stringify(good, null, 2)

function edited(change: (report: BenchReport) => void): string {
  const copy = structuredClone(good)
  change(copy)
  return JSON.stringify(copy)
}

describe('reading a report', () => {
  it('gives back what was written', () => expect(readReport(file(text))).toEqual(good))

  it('migrates the names of earlier versions, in both arms', () => {
    const delay = (p50: number) => ({ count: 400, p50, p99: 2, max: 3 })
    const analyses = { planned: [10], taken: [{ pairs: 10, verdict: 'pass' }], alphaPass: 0.0125, alphaFail: 0.001 }
    const oldArm = { legsMs: { request: delay(1), response: delay(0.5) } }
    const newArm = { oneWayMs: { requestPath: delay(1), responsePath: delay(0.5) } }
    const counts = { sent: 20, failed: 1 }
    const { baseline } = good.arms
    const older = {
      ...good,
      ...oldArm,
      looks: analyses,
      totals: { ...good.totals, rested: counts },
      arms: { ...good.arms, baseline: { ...baseline, ...oldArm, totals: { ...baseline?.totals, rested: counts } } },
    }
    expect(readReport(file(JSON.stringify(older)))).toEqual({
      ...good,
      ...newArm,
      interimAnalyses: analyses,
      totals: { ...good.totals, idleFirst: counts },
      arms: { ...good.arms, baseline: { ...baseline, ...newArm, totals: { ...baseline?.totals, idleFirst: counts } } },
    })
  })

  it('refuses a report that holds a name of today beside its former one', () => {
    const both = edited((report) =>
      Object.assign(report.totals, { rested: { sent: 1, failed: 0 }, idleFirst: { sent: 2, failed: 0 } }),
    )
    expect(refusal(file(both)).message).toContain('rested')
  })

  it.each([
    ['an empty file', '', 'the file is empty'],
    ['a web page', '<!doctype html><html></html>', 'this is a web page'],
    ['garbage', 'PK\u0003\u0004\u0000', 'this is not JSON'],
    ['YAML', 'schema: kt.bench/1', 'this is not JSON'],
    ['half a report', text.slice(0, text.length / 2), 'the file is truncated'],
    ['a report without its last brace', text.trimEnd().slice(0, -1), 'the file is truncated'],
    ['a report cut after a brace', text.slice(0, text.indexOf('}') + 1), 'the file is truncated'],
    ['an array', '[1, 2]', 'JSON of another kind'],
    ['null', 'null', 'JSON of another kind'],
    ['a k6 summary', '{"metrics": {"http_req_duration": {"p(99)": 1}}}', 'a k6 summary'],
    ['another report of kt', '{"schema": "kt.sweep/1"}', 'this is a kt.sweep/1 report, not kt.bench/1'],
    ['an older report', '{"schema": "kt.bench/0"}', 'this is kt.bench/0, from an older kt'],
    ['a newer report', '{"schema": "kt.bench/12"}', 'this is kt.bench/12, from a newer kt'],
    ['a report without its figures', '{"schema": "kt.bench/1"}', 'not a usable report'],
  ])('refuses %s in its own words', (_, content, words) => {
    const path = file(content)
    const error = refusal(path)
    expect(error.message).toContain(words)
    expect(error.message).toContain(path)
    expect(error.next).not.toBe('')
    expect(error.exitCode).toBe(EXIT.usage)
  })

  it('says that a file is missing', () => {
    expect(refusal(dir.file('none.json')).message).toContain('no such file or folder')
  })

  it.each<[string, (report: BenchReport) => void, string]>([
    [
      'a P99',
      ({ latencyMs }) => latencyMs && Object.assign(latencyMs, { p99: 1 }),
      'latencyMs: p99 is 1.00 ms, the histogram says',
    ],
    ['a mean', ({ latencyMs }) => latencyMs && Object.assign(latencyMs, { mean: 1 }), 'latencyMs: mean is'],
    ['a count', ({ latencyMs }) => latencyMs && Object.assign(latencyMs, { count: 7 }), 'latencyMs: count is 7'],
    [
      'an overhead',
      ({ overhead }) => Object.assign(overhead[0]?.totalMs ?? {}, { p99: 0.5 }),
      'overhead provider-stamped: p99',
    ],
    [
      'an overhead of the other arm',
      ({ arms }) => Object.assign(arms.baseline?.overhead[0]?.totalMs ?? {}, { p50: 9 }),
      'arms.baseline.overhead',
    ],
    [
      'a histogram',
      ({ latencyMs }) => latencyMs && Object.assign(latencyMs.histogram, { hdr: 'AAAA' }),
      'does not decode',
    ],
    ['the outcomes', ({ totals }) => Object.assign(totals.outcomes, { OK: 399, KT_RESET: 1 }), 'totals.successful'],
    ['a block left out', ({ blocks }) => blocks.splice(0, 1), 'the blocks add up to 360 sent, not 400'],
    [
      "a block's readings",
      ({ blocks }) =>
        Object.assign(
          blocks[0]?.overhead ?? {},
          blocks[0] && { 'provider-stamped': makeReport({ requests: 20, blocks: 10 }).blocks[0]?.latency },
        ),
      'overhead provider-stamped: the blocks hold 362 values, not 400',
    ],
  ])('refuses a report in which %s was edited', (_, change, words) => {
    const error = refusal(file(edited(change)))
    expect(error.message).toContain('contradicts itself')
    expect(error.message).toContain(words)
    expect(error.exitCode).toBe(EXIT.usage)
  })
})
