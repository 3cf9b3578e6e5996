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

const reading = (second: number, cpuPercent: number, rssBytes: number) => ({ second, cpuPercent, rssBytes })
const watched = {
  ...report,
  processes: [
    { name: 'gateway', pid: 12, endedAtS: null, everyS: 1, readings: [reading(0, 50, 1_000), reading(1, 150, 3_000)] },
    { name: 'gone', pid: 13, endedAtS: 0, everyS: 1, readings: [] },
  ],
}

test('CSV: a row for each reading of a watched process', () => {
  expect(rowsOf(toCsv(watched)).filter(({ table }) => table === 'process')).toEqual([
    { table: 'process', arm: 'gateway', at: '0', name: 'cpu', unit: '%', value: '50' },
    { table: 'process', arm: 'gateway', at: '0', name: 'memory', unit: 'bytes', value: '1000' },
    { table: 'process', arm: 'gateway', at: '1', name: 'cpu', unit: '%', value: '150' },
    { table: 'process', arm: 'gateway', at: '1', name: 'memory', unit: 'bytes', value: '3000' },
  ])
})

test('CSV: a row for each value of a scraped series, none where it was not told', () => {
  const series = [
    { metric: 'asked_total', labels: { code: '200' }, kind: 'rate' as const, values: [null, 4.5] },
    { metric: 'open', labels: {}, kind: 'gauge' as const, values: [7, 8] },
  ]
  const of = { name: 'gateway', url: 'http://h/metrics', everyS: 1, scrapes: 3, failed: 0, error: null, leftOut: 0 }
  const rows = rowsOf(toCsv({ ...report, scraped: [{ ...of, seconds: [0, 1], series }] }))
  expect(rows.filter(({ table }) => table === 'scraped')).toEqual([
    { table: 'scraped', arm: 'gateway', at: '1', name: 'asked_total{code="200"}', unit: '1/s', value: '4.5' },
    { table: 'scraped', arm: 'gateway', at: '0', name: 'open', unit: '', value: '7' },
    { table: 'scraped', arm: 'gateway', at: '1', name: 'open', unit: '', value: '8' },
  ])
})

test('OpenMetrics: CPU in cores and memory of a watched process; nothing of one that was never read', () => {
  const lines = toOpenMetrics(watched).split('\n')
  const figures = lines.flatMap(
    (line) => /^(kt_bench_process_\w+)\{.*(process="[^}]*)\} (\S+)$/.exec(line)?.slice(1) ?? [],
  )
  const gateway = (stat: string): string => `process="gateway",stat="${stat}"`
  expect(figures).toEqual([
    ...['kt_bench_process_cpu_cores', gateway('mean'), '1'],
    ...['kt_bench_process_cpu_cores', gateway('max'), '1.5'],
    ...['kt_bench_process_memory_bytes', gateway('first'), '1000'],
    ...['kt_bench_process_memory_bytes', gateway('last'), '3000'],
    ...['kt_bench_process_memory_bytes', gateway('max'), '3000'],
  ])
})

test('OpenMetrics: a label is one label, whatever its text', () => {
  const text = toOpenMetrics({ ...report, target: { ...report.target, model: 'a"} 1\n# EOF\\' } })
  expect(text).toContain(String.raw`model="a\"} 1\n# EOF\\"`)
  expect(text.match(/^# EOF$/gm)).toHaveLength(1)
})
