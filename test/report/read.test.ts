import { afterAll, describe, expect, it } from 'vitest'
import { EXIT, type UserError } from '../../src/errors.ts'
import { readReport, readRun } from '../../src/report/read.ts'
import { primaryRun, runsOf } from '../../src/report/runs.ts'
import type { ArmResult, BenchReport } from '../../src/report/schema.ts'
import { makeReport } from '../support/make-report.ts'
import { messageOf, refusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const file = (text: string): string => dir.write(`${Math.random()}.json`, text)

const refusal = (path: string): UserError => refusalOf(() => readRun(path))

const good = makeReport({ requests: 400, blocks: 10, direct: { requests: 400, blocks: 10, added: () => 200 } })
const text = JSON.stringify(good, null, 2)

type Change = (arm: ArmResult, report: BenchReport) => void

function edited(change: Change): string {
  const copy = structuredClone(good)
  change(copy.arms[0], copy)
  return JSON.stringify(copy)
}

describe('reading a report', () => {
  it('gives back what was written', () => expect(readRun(file(text))).toEqual(primaryRun(good)))

  it.each([
    ['an empty file', '', 'the file is empty'],
    ['a web page', '<!doctype html><html></html>', 'this is a web page'],
    ['garbage', 'PK\u0003\u0004\u0000', 'this is not JSON'],
    ['YAML', 'schema: kt.bench/2', 'this is not JSON'],
    ['half a report', text.slice(0, text.length / 2), 'the file is truncated'],
    ['a report without its last brace', text.trimEnd().slice(0, -1), 'the file is truncated'],
    ['a report cut after a brace', text.slice(0, text.indexOf('}') + 1), 'the file is truncated'],
    ['an array', '[1, 2]', 'JSON of another kind'],
    ['null', 'null', 'JSON of another kind'],
    ['a k6 summary', '{"metrics": {"http_req_duration": {"p(99)": 1}}}', 'a k6 summary'],
    ['another report of kt', '{"schema": "kt.sweep/1"}', 'this is a kt.sweep/1 report, not kt.bench/2'],
    ['a report named like a part of JavaScript', '{"schema": "constructor"}', 'this is a constructor report'],
    ['an older report', '{"schema": "kt.bench/0"}', 'this is kt.bench/0, from an older kt'],
    ['a newer report', '{"schema": "kt.bench/12"}', 'this is kt.bench/12, from a newer kt'],
    ['a report without its figures', '{"schema": "kt.bench/2"}', 'not a usable report'],
    ['an older one without its figures', '{"schema": "kt.bench/1"}', 'not a usable report'],
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

  it.each<[string, Change, string]>([
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
      (_, { arms }) => Object.assign(arms[1]?.overhead[0]?.totalMs ?? {}, { p50: 9 }),
      'arms[1].overhead provider-stamped: p50',
    ],
    [
      'a histogram',
      ({ latencyMs }) => latencyMs && Object.assign(latencyMs.histogram, { hdr: 'AAAA' }),
      'does not decode',
    ],
    ['the outcomes', ({ totals }) => Object.assign(totals.outcomes, { OK: 399, KT_RESET: 1 }), 'totals.successful'],
    ['the order of blocks', ({ blocks }) => blocks.reverse(), 'the blocks of gateway are not in order'],
    ['a block left out', ({ blocks }) => blocks.splice(0, 1), 'the blocks add up to 360 sent, not 400'],
    [
      "a block's readings",
      ({ blocks }) =>
        Object.assign(
          blocks[0]?.overhead ?? {},
          blocks[0] && { 'provider-stamped': makeReport({ requests: 20, blocks: 10 }).arms[0].blocks[0]?.latency },
        ),
      'overhead provider-stamped: the blocks hold 362 values, not 400',
    ],
  ])('refuses a report in which %s was edited', (_, change, words) => {
    const error = refusal(file(edited(change)))
    expect(error.message).toContain('contradicts itself')
    expect(error.message).toContain(words)
    expect(error.exitCode).toBe(EXIT.usage)
  })

  it.each<[string, (report: BenchReport) => void, string]>([
    ['no arm', (report) => Object.assign(report, { arms: [] }), 'arms'],
    ['two arms of one name', ({ arms }) => Object.assign(arms[0], { name: 'direct' }), 'two arms have one name'],
    ['the first arm for a baseline', ({ arms }) => Object.assign(arms[0], { baseline: true }), 'and not the first'],
    [
      'two baselines',
      ({ arms }) => arms.push({ ...structuredClone(arms[1] ?? arms[0]), name: 'third' }),
      'one arm at most is the baseline',
    ],
  ])('refuses %s', (_, change, words) => {
    expect(refusal(file(edited((__, report) => change(report)))).message).toContain(words)
  })

  it('takes any number of arms; what reads one gateway refuses several, and says how to come by one', () => {
    const third: ArmResult = { ...structuredClone(good.arms[0]), name: 'candidate' }
    const [first, baseline] = good.arms
    const three = file(JSON.stringify({ ...good, arms: [first, third, baseline] }))
    const runs = runsOf(readReport(three))
    expect(runs.map((run) => [run.name, run.baseline?.name])).toEqual([
      ['gateway', 'direct'],
      ['candidate', 'direct'],
    ])
    expect(messageOf(() => readRun(three))).toMatch(
      /: it holds 2 gateways \(gateway, candidate\), and one is to be read here\n.*--split writes r\.gateway\.json/,
    )
    expect(readRun(file(JSON.stringify(good)))).toEqual(primaryRun(good))
  })
})
