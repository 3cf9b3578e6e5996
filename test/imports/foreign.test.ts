// Results of other tools: recorded ones of oha, vegeta, guidellm and AIPerf; those of k6 and vllm are written by hand,
// in the shape that their sources write (k6 1.x and 2.x, vllm/benchmarks/serve.py), and were not recorded. Their
// figures are read in kt's units, what they lack is said, and nothing is judged.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compare } from '../../src/api/compare.ts'
import { readForeign } from '../../src/imports/foreign.ts'
import { compareSchema } from '../../src/report/compare-schema.ts'
import { readRun } from '../../src/report/read.ts'

const RECORDED = 'test/bench/peers/recorded'
const FILES = {
  oha: `${RECORDED}/oha.json`,
  vegeta: `${RECORDED}/vegeta.json`,
  guidellm: `${RECORDED}/guidellm.json`,
  AIPerf: `${RECORDED}/aiperf.json`,
  k6: 'test/imports/k6.json',
  'vllm bench': 'test/imports/vllm.json',
}
const GATEWAY = 'fixtures/reports/gateway.json'

const read = (path: string) => readForeign(JSON.parse(readFileSync(path, 'utf8')))

test.each([
  ['oha', { requests: 41, failed: 0, p50: 16.026134, p99: 87.710427 }],
  ['vegeta', { requests: 40, failed: 0, p50: 6.388308, p99: 85.171205 }],
  ['guidellm', { requests: 41, failed: 0, p50: 12.63284683227539, p99: 125.65946578979492 }],
  ['AIPerf', { requests: 39, failed: 0, p50: 10.971326, p99: 28.90693031999994 }],
  ['k6', { requests: 1000, failed: 5, p50: 11.2, p99: undefined }],
] as const)('%s: requests, failures, latency in milliseconds', (tool, { requests, failed, p50, p99 }) => {
  const result = read(FILES[tool])
  expect(result).toMatchObject({ tool, requests, failed })
  expect(result?.durations.latency?.p50).toBeCloseTo(p50, 9)
  if (p99 === undefined) expect(result?.durations.latency).not.toHaveProperty('p99')
  else expect(result?.durations.latency?.p99).toBeCloseTo(p99, 9)
})

test('a failure of theirs is a failure: an answer that is not 2xx counts as none', () => {
  const oha = read(`${RECORDED}/oha-404.json`)
  expect(oha?.failed).toBe(oha?.requests)
  expect(oha?.perSecond).toBe(0)
  const vegeta = read(`${RECORDED}/vegeta-404.json`)
  expect(vegeta?.failed).toBe(vegeta?.requests)
})

/** What a script of k6 gets to write itself: the same metrics, with their kind, and their values apart. */
function asHandleSummary({ metrics, ...rest }: { metrics: Record<string, Record<string, number>> }): object {
  const rate = ({ value, ...others }: Record<string, number>) => ({ ...others, rate: value })
  const kept = Object.entries(metrics).map(([name, values]) => {
    return [name, { contains: 'default', values: name === 'http_req_failed' ? rate(values) : values }] as const
  })
  return { ...rest, metrics: Object.fromEntries(kept), state: { testRunDurationMs: 10_020 } }
}

test('k6: the summary as a script gets it, and the machine-readable one, tell the same', () => {
  const exported = read(FILES.k6)
  expect(exported).toMatchObject({
    requests: 1_000,
    failed: 5,
    perSecond: 99.8 * 0.995,
    durations: { latency: { p50: 11.2, p90: 18.5, p95: 22.75 } },
  })
  expect(readForeign(asHandleSummary(JSON.parse(readFileSync(FILES.k6, 'utf8'))))).toEqual(exported)
  // It has no rate: the count and the duration of the run give it.
  expect(read('test/imports/k6-machine-readable.json')).toEqual({ ...exported, perSecond: 99.5 })
})

test('k6: a run that asked for other quantiles has those', () => {
  const summary = JSON.parse(readFileSync(FILES.k6, 'utf8'))
  summary.metrics.http_req_duration = { 'p(99)': 61.5, 'p(99.9)': 80 }
  expect(readForeign(summary)?.durations).toEqual({ latency: { p99: 61.5 } })
})

test('vllm bench: tokens have their times, and what was not asked for is absent', () => {
  const result = read(FILES['vllm bench'])
  expect(result).toMatchObject({ requests: 200, failed: 2, perSecond: 15.84 })
  expect(result?.durations).toEqual({
    ttft: { p50: 24.2, p99: 61.5 },
    tpot: { p50: 8, p99: 11.9 },
    interToken: { p50: 7.9, p99: 19.2 },
  })
})

test('vllm bench: other metrics and percentiles are read where they were asked for', () => {
  const { median_ttft_ms: _, p99_ttft_ms: __, ...rest } = JSON.parse(readFileSync(FILES['vllm bench'], 'utf8'))
  const asked = { ...rest, median_e2el_ms: 300, p90_e2el_ms: 400, p95_e2el_ms: 420, p99_e2el_ms: 500 }
  const durations = readForeign(asked)?.durations
  expect(durations?.latency).toEqual({ p50: 300, p90: 400, p95: 420, p99: 500 })
  expect(durations).not.toHaveProperty('ttft')
})

test.each(Object.entries(FILES))('%s beside a report of kt: figures, what is lacking, no verdict', (tool, path) => {
  const comparison = compareSchema.parse(compare(path, GATEWAY))
  expect(comparison).toMatchObject({ gate: null, judgedBy: null, noise: null, baseline: { client: null } })
  expect(comparison.modeWhy).toContain(`results of ${tool} are not judged`)
  expect(comparison.notes).toHaveLength(1)
  expect(comparison.notes[0]).toMatch(/has no blocks/)
  expect(comparison.rows.every((row) => row.verdict === undefined && row.delta95 === undefined)).toBe(true)
  const run = readRun(GATEWAY)
  const rate = comparison.rows.find(({ metric }) => metric === 'throughput.requests')
  expect(rate?.gateway).toBe(run.throughput.requestsPerSec)
  expect(rate?.delta).toBeCloseTo((rate?.gateway ?? 0) - (rate?.baseline ?? 0), 9)
})

test('two results of other tools stand side by side, each with what it lacks', () => {
  const { rows, notes } = compare(FILES.oha, FILES.vegeta)
  expect(rows.map(({ metric }) => metric)).toContain('latency.p99')
  expect(notes).toHaveLength(2)
})

test('a limit is refused, since nothing could be judged by it', () => {
  expect(() => compare(FILES.oha, GATEWAY, { budget: '7ms' })).toThrow('nothing can be judged by it')
})

test('what no tool wrote is none of theirs', () => {
  expect(read('package.json')).toBeUndefined()
  expect(() => compare('package.json', GATEWAY)).toThrow('not a report of kt bench')
})
