// What a collector gets of a run. test/e2e/otlp.test.ts has the official definitions read the same messages.
import { afterEach, describe, expect, test } from 'vitest'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { familiesOf } from '../../src/exports/families.ts'
import { otlpMetrics } from '../../src/exports/otlp-metrics.ts'
import { sendOtlp } from '../../src/exports/otlp-send.ts'
import { otlpTraces } from '../../src/exports/otlp-traces.ts'
import { readReport } from '../../src/report/read.ts'
import type { Sample } from '../../src/report/sample-schema.ts'
import { otlpHeadersOf } from '../../src/system/environment.ts'
import { startCollector, type TestCollector } from '../support/collector.ts'
import { messageOf } from '../support/refusal.ts'

const report = readReport('fixtures/reports/paired.json')
const START_MS = 1_800_000_000_000
const sample: Sample = {
  arm: report.arms[0].name,
  block: 3,
  nonce: 'nonce-1',
  intendedUs: 1_000,
  sentUs: 1_500,
  firstByteUs: 21_500,
  firstTokenUs: 26_500,
  lastTokenUs: 51_500,
  endUs: 52_000,
  tokens: 8,
  outcome: 'OK',
}

let collector: TestCollector | undefined
afterEach(() => {
  collector?.close()
  collector = undefined
})

describe('metrics', () => {
  const [{ scopeMetrics, resource } = { scopeMetrics: [], resource: undefined }] = otlpMetrics(
    report,
    START_MS,
  ).resourceMetrics
  const metrics = scopeMetrics[0]?.metrics ?? []

  test('are the families of the OpenMetrics text, and the histogram of the conventions', () => {
    expect(metrics.map(({ name }) => name)).toEqual([
      ...familiesOf(report).map(({ name }) => name),
      'gen_ai.client.operation.duration',
    ])
    expect(resource?.attributes).toContainEqual({ key: 'kt.run.id', value: { stringValue: report.runId } })
  })

  test('have the figures of the report', () => {
    const latency = metrics.find(({ name }) => name === 'kt_bench_latency_seconds')
    const points = latency && 'summary' in latency ? latency.summary.dataPoints : []
    expect(points.map(({ count, quantileValues }) => [count, quantileValues.at(-1)])).toEqual(
      report.arms.map(({ latencyMs }) => [
        String(latencyMs?.count),
        { quantile: 0.99, value: (latencyMs?.p99 ?? Number.NaN) / 1_000 },
      ]),
    )
    const requests = metrics.find(({ name }) => name === 'kt_bench_requests')
    const sums = requests && 'sum' in requests ? requests.sum.dataPoints.map(({ asInt }) => Number(asInt)) : []
    const sent = report.arms.map(({ totals }) => totals.sent)
    expect(sums.reduce((a, b) => a + b, 0)).toBe(sent.reduce((a, b) => a + b, 0))
  })

  test('the buckets of the histogram hold every request, each in its place', () => {
    const duration = metrics.at(-1)
    const points = duration && 'histogram' in duration ? duration.histogram.dataPoints : []
    expect(points).toHaveLength(report.arms.length)
    for (const [index, { bucketCounts, explicitBounds, count }] of points.entries()) {
      expect(bucketCounts).toHaveLength(explicitBounds.length + 1)
      expect(bucketCounts.reduce((sum, one) => sum + Number(one), 0)).toBe(Number(count))
      const p50S = (report.arms[index]?.latencyMs?.p50 ?? 0) / 1_000
      const upTo = explicitBounds.findIndex((bound) => bound >= p50S)
      const below = bucketCounts.slice(0, upTo + 1).reduce((sum, one) => sum + Number(one), 0)
      expect(below).toBeGreaterThanOrEqual(Number(count) / 2)
    }
  })
})

test('a request is a span of its own with the attributes of the conventions', () => {
  const failed: Sample = { ...sample, nonce: 'nonce-2', firstTokenUs: null, tokens: null, outcome: 'KT_RESET' }
  const never: Sample = { ...sample, nonce: 'nonce-3', sentUs: null }
  const traces = otlpTraces(report, { how: 'slowest', startMs: START_MS, samples: [sample, failed, never] })
  const spans = traces.resourceSpans[0]?.scopeSpans[0]?.spans ?? []
  expect(spans).toHaveLength(2)
  const [good, bad] = spans
  expect(good).toMatchObject({
    name: `chat ${report.target.model}`,
    kind: 3,
    startTimeUnixNano: '1800000000001500000',
    endTimeUnixNano: '1800000000052000000',
    events: [
      { name: 'first byte', timeUnixNano: '1800000000021500000' },
      { name: 'first token', timeUnixNano: '1800000000026500000' },
      { name: 'last token', timeUnixNano: '1800000000051500000' },
    ],
    status: {},
  })
  expect(good?.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(good?.spanId).toMatch(/^[0-9a-f]{16}$/)
  expect(good?.attributes).toEqual(
    expect.arrayContaining([
      { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
      { key: 'gen_ai.usage.output_tokens', value: { intValue: '8' } },
      { key: 'gen_ai.response.time_to_first_chunk', value: { doubleValue: 0.025 } },
      { key: 'kt.sent_late_ms', value: { doubleValue: 0.5 } },
    ]),
  )
  expect(bad).toMatchObject({ status: { code: 2, message: 'KT_RESET' } })
  expect(bad?.attributes).toContainEqual({ key: 'error.type', value: { stringValue: 'KT_RESET' } })
  expect(bad?.attributes.some(({ key }) => key === 'gen_ai.response.time_to_first_chunk')).toBe(false)
  expect(bad?.traceId).not.toBe(good?.traceId)
})

describe('sending', () => {
  const traced = { how: 'slowest' as const, startMs: START_MS, samples: [sample] }
  async function send(path = '', given = traced) {
    const notes: string[] = []
    if (!collector) throw new Error('no collector')
    const to = {
      url: new URL(path, collector.url),
      headers: { 'x-key': 'a' },
      note: (line: string) => notes.push(line),
    }
    await sendOtlp(report, given, to)
    return { notes, taken: collector.taken, origin: collector.url.origin }
  }

  test('two messages, below the path that was given, with the headers of the environment', async () => {
    collector = await startCollector()
    const { notes, taken } = await send('/otlp/')
    expect(notes).toEqual([])
    expect(taken.map(({ path }) => path)).toEqual(['/otlp/v1/metrics', '/otlp/v1/traces'])
    for (const { headers } of taken) expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-key': 'a' })
    expect(JSON.parse(taken[1]?.body ?? '').resourceSpans[0].scopeSpans[0].spans).toHaveLength(1)
  })

  test('a busy collector is asked again; a refusal is noted and not repeated', async () => {
    collector = await startCollector((message) => (message === 0 ? [503, {}] : message === 2 ? [400, {}] : [200, {}]))
    const { notes, taken, origin } = await send()
    expect(taken.map(({ path }) => path)).toEqual(['/v1/metrics', '/v1/metrics', '/v1/traces'])
    expect(notes).toEqual([`--otlp: the collector answered 400; the traces were not sent to ${origin}/v1/traces`])
  })

  test('what was taken in part is noted', async () => {
    const partialSuccess = { rejectedDataPoints: '4', errorMessage: 'too old' }
    collector = await startCollector(() => [200, { partialSuccess }])
    const { notes, taken } = await send('', { ...traced, samples: [] })
    expect(taken).toHaveLength(1)
    expect(notes[0]).toContain('the collector rejected 4: too old')
  })

  test('nobody there is noted', async () => {
    collector = await startCollector()
    collector.close()
    const { notes } = await send()
    expect(notes).toHaveLength(2)
    expect(notes[0]).toContain('nothing listens at 127.0.0.1:')
  })
})

test('the headers of the environment, percent-decoded', () => {
  expect(otlpHeadersOf({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc=, X-Scope = team ,bad' })).toEqual({
    authorization: 'Bearer abc=',
    'x-scope': 'team',
  })
  expect(otlpHeadersOf({})).toEqual({})
})

test.each([
  [{ 'otlp-traces': '10' }, '--otlp-traces needs a collector'],
  [{ otlp: 'http://h', 'otlp-traces': '0' }, 'is neither a count from 1 to 1000'],
  [{ otlp: 'http://h', 'otlp-traces': 'fastest:3' }, 'is neither a count from 1 to 1000'],
  [{ otlp: 'ftp://h' }, 'must begin with http://'],
])('%j is refused', (values, why) => {
  expect(messageOf(() => parseBenchOptions({ values }))).toContain(why)
})
