// Exports of a recorded run: the CSV and the OpenMetrics text hold the figures of the report, whatever its names are.
import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { toCsv } from '../../src/exports/csv.ts'
import { toOpenMetrics } from '../../src/exports/openmetrics.ts'
import { readReport } from '../../src/report/read.ts'

const report = readReport('fixtures/reports/paired.json')

/** As another program reads it. */
function rowsOf(text: string): Record<string, string>[] {
  return parse(text, { columns: true }) as Record<string, string>[]
}

test('CSV: a row for each figure of each arm, of each block and of each second', () => {
  const rows = rowsOf(toCsv(report))
  const value = (table: string, arm: string, at: string, name: string): number =>
    Number(rows.find((row) => row.table === table && row.arm === arm && row.at === at && row.name === name)?.value)
  for (const arm of report.arms) {
    expect(value('summary', arm.name, '', 'latency.p99')).toBe(arm.latencyMs?.p99)
    expect(value('summary', arm.name, '', 'requests.sent')).toBe(arm.totals.sent)
    for (const { index, sent } of arm.blocks) expect(value('block', arm.name, `${index}`, 'requests.sent')).toBe(sent)
  }
  for (const { second, done } of report.series) expect(value('series', '', `${second}`, 'requests.done')).toBe(done)
})

test('CSV: no name breaks a row, and none is a formula', () => {
  const [first, ...others] = report.arms
  const rows = rowsOf(toCsv({ ...report, arms: [{ ...first, name: '=cmd("a,b")\n' }, ...others] }))
  expect(rows[0]?.arm).toBe(`'=cmd("a,b")\n`)
  expect(rows.every((row) => Object.keys(row).length === 6)).toBe(true)
})

test('OpenMetrics: each family once, with its type; seconds; the end mark', () => {
  const text = toOpenMetrics(report)
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name]) => name)
  expect(new Set(types).size).toBe(types.length)
  expect(types).toEqual(expect.arrayContaining(['kt_bench_requests', 'kt_bench_latency_seconds']))
  expect(text.endsWith('\n# EOF\n')).toBe(true)
  for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^(?:# .*|\w+\{[^\n]*\} -?[\d.e+-]+)$/)
  const [{ name, latencyMs, totals }] = report.arms
  const p99 = new RegExp(`^kt_bench_latency_seconds\\{[^}]*arm="${name}",quantile="0.99"\\} (\\S+)$`, 'm').exec(
    text,
  )?.[1]
  expect(Number(p99)).toBe((latencyMs?.p99 ?? 0) / 1_000)
  expect(text).toMatch(
    new RegExp(`^kt_bench_requests_total\\{[^}]*arm="${name}",outcome="OK"\\} ${totals.successful}$`, 'm'),
  )
})

test('OpenMetrics: a label is one label, whatever its text', () => {
  const text = toOpenMetrics({ ...report, target: { ...report.target, model: 'a"} 1\n# EOF\\' } })
  expect(text).toContain(String.raw`model="a\"} 1\n# EOF\\"`)
  expect(text.match(/^# EOF$/gm)).toHaveLength(1)
})
