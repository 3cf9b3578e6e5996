// The metrics of a run while it goes on, as a Prometheus gets them, read by the strict reader of --scrape.
import { createServer } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { LiveMetrics, openLiveMetrics } from '../../src/bench/live-metrics.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { parseListenAddress } from '../../src/exports/listen.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { listenAt } from '../../src/system/serve.ts'
import { parseExposition, type Sample } from '../../src/watch/exposition.ts'
import { OUTCOME_CODES } from '../../src/wire/outcome.ts'
import { planFor } from '../support/engine.ts'
import { laterRefusalOf, messageOf } from '../support/refusal.ts'

const plan = planFor('http://127.0.0.1:1', { requests: 1, load: { mode: 'closed', concurrency: 1 } })
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0'
const progress = {
  phase: 'measuring' as const,
  elapsedUs: 2_500_000,
  doneByArm: [3],
  sent: 5,
  done: 3,
  failed: 1,
  inFlight: 2,
  heldUs: 0,
  watched: [],
  lastSecond: null,
}

let live: LiveMetrics | undefined
afterEach(async () => {
  await live?.close()
  live = undefined
})

async function listening(): Promise<{ live: LiveMetrics; url: string }> {
  live = new LiveMetrics()
  return { live, url: await live.listen({ host: '127.0.0.1', port: 0 }) }
}

async function scrape(url: string, accept = 'text/plain'): Promise<{ samples: Sample[]; type: string; text: string }> {
  const answer = await fetch(url, { headers: { accept } })
  const [text, type] = [await answer.text(), answer.headers.get('content-type') ?? '']
  const parsed = parseExposition(text, type.startsWith('application/openmetrics-text'))
  if (!parsed.ok) throw new Error(parsed.why)
  return { samples: parsed.value, type, text }
}

/** A request of the first arm: latency and time to first token in milliseconds. */
function row(latencyMs: number, ttftMs: number, outcome: (typeof OUTCOME_CODES)[number] = 'OK'): number[] {
  const token = ttftMs * 1_000
  return [0, 0, 0, 0, 0, token, token, token, latencyMs * 1_000, 8, OUTCOME_CODES.indexOf(outcome)]
}

const figure = (samples: readonly Sample[], name: string, labels: object = {}): number | undefined =>
  samples.find((one) => {
    return one.name === name && Object.entries(labels).every(([key, text]) => one.labels[key] === text)
  })?.value

describe.each([
  ['Prometheus', 'text/plain', 'text/plain; version=0.0.4'],
  ['OpenMetrics', OPEN_METRICS, OPEN_METRICS],
])('%s', (_, accept, type) => {
  test('counts and histograms by arm grow with the run', async () => {
    const { live, url } = await listening()
    live.begin(plan, 'run-1')
    live.heard(progress)
    live.add(Float64Array.from([row(20, 5), row(60, 50), row(3, Number.NaN, 'KT_RESET')].flat()), 4)
    const first = await scrape(url, accept)
    const arm = { arm: plan.arms[0]?.name, run: 'run-1' }
    expect(first.type).toContain(type)
    expect(figure(first.samples, 'kt_bench_live_requests_total', { ...arm, outcome: 'OK' })).toBe(2)
    expect(figure(first.samples, 'kt_bench_live_requests_total', { ...arm, outcome: 'KT_RESET' })).toBe(1)
    const latency = (le: string) => figure(first.samples, 'kt_bench_live_latency_seconds_bucket', { ...arm, le })
    expect(['0.01', '0.025', '0.05', '0.1', '+Inf'].map(latency)).toEqual([0, 1, 1, 2, 2])
    expect(figure(first.samples, 'kt_bench_live_latency_seconds_sum')).toBeCloseTo(0.08, 6)
    expect(figure(first.samples, 'kt_bench_live_ttft_seconds_count')).toBe(2)
    expect(figure(first.samples, 'kt_bench_live_in_flight')).toBe(2)
    expect(figure(first.samples, 'kt_bench_live_elapsed_seconds')).toBe(2.5)
    expect(figure(first.samples, 'kt_bench_live_measuring')).toBe(1)
    expect(figure(first.samples, 'kt_bench_live_uncounted')).toBe(4)
    const counters = first.samples.filter(({ cumulative }) => cumulative).map(({ name }) => name)
    expect(counters).toEqual(expect.arrayContaining(['kt_bench_live_requests_total']))
    live.add(Float64Array.from(row(20, 5)), 0)
    const { samples } = await scrape(url, accept)
    expect(figure(samples, 'kt_bench_live_requests_total', { outcome: 'OK' })).toBe(3)
  })
})

test('what the gateway added, by each way of reading it, in the blocks that are over', async () => {
  const { live, url } = await listening()
  const values = (...us: number[]): Histogram => {
    const histogram = new Histogram()
    for (const one of us) histogram.record(one)
    return histogram
  }
  live.begin(plan, 'run-1', () => [
    { stamped: values(1_000, 2_000), selfReported: {} },
    { stamped: values(3_000), selfReported: { 'self-reported': values(500) } },
  ])
  const { samples } = await scrape(url, OPEN_METRICS)
  const overhead = (definition: string, quantile: string) =>
    figure(samples, 'kt_bench_live_overhead_seconds', { definition, quantile })
  expect(overhead('provider-stamped', '0.5')).toBeCloseTo(0.002, 4)
  expect(overhead('provider-stamped', '0.99')).toBeCloseTo(0.003, 4)
  expect(overhead('self-reported', '0.99')).toBeCloseTo(0.0005, 4)
  expect(figure(samples, 'kt_bench_live_overhead_seconds_count', { definition: 'provider-stamped' })).toBe(3)
})

test('before the measurement there is a page too, and nothing but the page', async () => {
  const { url } = await listening()
  const { samples, text } = await scrape(url)
  expect(samples.map(({ name, value }) => [name, value])).toEqual([
    ['kt_bench_live_measuring', 0],
    ['kt_bench_live_uncounted', 0],
  ])
  expect(text).not.toContain('# EOF')
  expect((await fetch(new URL('/other', url))).status).toBe(404)
  expect((await fetch(url, { method: 'POST' })).status).toBe(404)
})

test('it ends with the run', async () => {
  const { live, url } = await listening()
  await scrape(url)
  await live.close()
  await expect(fetch(url)).rejects.toThrow()
})

test('a port that is taken is refused before anything is sent', async () => {
  const server = createServer()
  const { port } = await listenAt(server, 0, '127.0.0.1')
  const refused = await laterRefusalOf(() => openLiveMetrics({ host: '127.0.0.1', port }, () => {}))
  expect(refused.message).toBe(`--metrics-listen: port ${port} is taken`)
  server.close()
})

test.each([
  [':9464', '127.0.0.1', 9464],
  ['9464', '127.0.0.1', 9464],
  ['0.0.0.0:1', '0.0.0.0', 1],
  ['[::1]:80', '::1', 80],
  ['metrics.local:80', 'metrics.local', 80],
])('%s', (given, host, port) => {
  expect(parseListenAddress(given)).toEqual({ ok: true, value: { host, port } })
})

test.each(['', 'host', ':70000', 'http://h:1', '::1:80'])("'%s' is refused", (given) => {
  expect(messageOf(() => parseBenchOptions({ values: { 'metrics-listen': given } }))).toContain('HOST:PORT')
})
