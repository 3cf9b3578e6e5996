// What each gateway says of itself, by its documented headers: units, definitions, and impossible figures.
import { describe, expect, it } from 'vitest'
import type { ResponseHeaders } from '../../src/http1/fields.ts'
import { readSelfReported, type SelfReportedAnswer } from '../../src/overhead/self-reported.ts'

const TOOK_US = 100_000

function read(
  headers: ResponseHeaders,
  { trailers = {}, stream = false, tookUs = TOOK_US }: Options = {},
): SelfReportedAnswer {
  const answer = { headers, trailers, sentUs: 1_000, headersUs: 1_000 + tookUs / 2, endUs: 1_000 + tookUs }
  const report = readSelfReported(answer, stream)
  if (!report) throw new Error('nothing was recognised')
  return report
}

interface Options {
  trailers?: ResponseHeaders
  stream?: boolean
  tookUs?: number
}

const readingsOf = (report: SelfReportedAnswer) => report.readings.map(({ definition, us }) => [definition, us])

describe('the gateways', () => {
  it.each<[string, ResponseHeaders, string, [string, number][]]>([
    ['LiteLLM', { 'x-litellm-overhead-duration-ms': '2.125' }, 'LiteLLM', [['self-reported', 2_125]]],
    [
      'Kong',
      { 'x-kong-proxy-latency': '3', 'x-kong-upstream-latency': '90' },
      'Kong',
      [
        ['self-reported', 3_000],
        ['upstream-reported', 10_000],
      ],
    ],
    ['Bifrost', { 'x-bifrost-upstream-latency-ms': '98.750' }, 'Bifrost', [['upstream-reported', 1_250]]],
    ['Envoy', { 'x-envoy-upstream-service-time': '97' }, 'Envoy family', [['upstream-reported', 2_500]]],
    [
      'Istio',
      { server: 'istio-envoy', 'x-envoy-upstream-service-time': '97' },
      'Istio',
      // The wait was cut off to whole milliseconds: 97.5 of them on average.
      [['upstream-reported', 2_500]],
    ],
    [
      'Server-Timing, own time',
      { 'server-timing': 'gateway;dur=1.5;desc="all", db;dur=3' },
      '',
      [['self-reported', 1_500]],
    ],
    [
      'LiteLLM, detailed',
      { 'x-litellm-overhead-duration-ms': '2.5', 'x-litellm-timing-llm-api-ms': '96' },
      'LiteLLM',
      [
        ['self-reported', 2_500],
        ['upstream-reported', 4_000],
      ],
    ],
    ["OpenAI's own time", { 'openai-processing-ms': '90' }, '', [['provider-reported', 10_000]]],
    ['Server-Timing, wait', { 'server-timing': 'upstream;dur=95' }, '', [['upstream-reported', 5_000]]],
    [
      'kt',
      { 'server-timing': 'kt-provider;dur=5, kt-overhead;dur=1.25' },
      'kt reference gateway',
      [['self-reported', 1_250]],
    ],
    ['kt, plain', { 'x-kt-overhead-ms': '0.75' }, 'kt reference gateway', [['self-reported', 750]]],
  ])('%s', (_, headers, gateway, readings) => {
    const report = read(headers)
    expect(report.gateway).toBe(gateway)
    expect(report.rejected).toEqual([])
    expect(readingsOf(report).map(([definition, us]) => [definition, Math.round(Number(us))])).toEqual(readings)
    for (const { note, source } of report.readings) {
      expect(note).not.toBe('')
      expect(Object.keys(headers).some((name) => source.toLowerCase().includes(name))).toBe(true)
    }
  })

  it.each<[string, ResponseHeaders]>([
    ['Portkey', { 'x-portkey-trace-id': 'a', 'x-portkey-provider': 'openai', 'x-envoy-upstream-service-time': '40' }],
    ['Helicone', { 'helicone-id': 'a' }],
    ['Cloudflare AI Gateway', { 'cf-aig-log-id': 'a' }],
    ['Portkey', { 'x-portkey-retry-attempt-count': '0' }],
    ['Helicone', { 'helicone-cache': 'MISS' }],
    ['Cloudflare AI Gateway', { 'cf-aig-step': '0' }],
    ['LiteLLM', { 'x-litellm-version': '1.80' }],
    ['LiteLLM', { 'x-litellm-cache-key': 'abc' }],
    ['Bifrost', { 'x-bifrost-provider': 'openai' }],
    ['Bifrost', { 'x-bifrost-request-id': 'a' }],
    ['Kong', { 'x-kong-llm-model': 'openai/gpt-4o' }],
    ['Kong', { via: '1.1 kong/3.12.0.0-enterprise-edition' }],
  ])('%s without a timing header is named, and says what is missing', (gateway, headers) => {
    expect(read(headers)).toMatchObject({ gateway, readings: [], caveat: expect.stringMatching(/^it(s| sen)/) })
  })

  it.each<[string, ResponseHeaders]>([
    ['a plain answer', { 'content-type': 'application/json' }],
    ["the simulated provider's own", { 'server-timing': 'kt-provider;dur=40' }],
    ['entries that name no gateway', { 'server-timing': 'db;dur=4, cache;desc=hit' }],
    ['Server-Timing without durations', { 'server-timing': 'gateway;desc="hello"' }],
  ])('%s says nothing of a gateway', (_, headers) => {
    expect(readSelfReported({ headers, trailers: {}, sentUs: 0, headersUs: 50, endUs: 100 }, false)).toBeUndefined()
  })

  it('states the resolution where it is a whole millisecond, and that a provider may have sent the header', () => {
    // A difference of two whole milliseconds is right on average; one that is cut off lacks half of one.
    expect(read({ 'x-kong-proxy-latency': '3' }).readings[0]).toMatchObject({ resolutionUs: 1_000, centreUs: 0 })
    expect(read({ 'server-timing': 'gateway;dur=3' }).readings[0]).toMatchObject({ resolutionUs: 1_000, centreUs: 0 })
    expect(read({ 'server-timing': 'gateway;dur=3.2' }).readings[0]).toMatchObject({ resolutionUs: 1 })
    const envoy = read({ 'x-envoy-upstream-service-time': '97' })
    expect(envoy.readings[0]).toMatchObject({ resolutionUs: 1_000, centreUs: 500 })
    expect(envoy.readings[0]?.note).toContain('provider behind its own Envoy')
    expect(envoy.unsure).toBe(true)
  })
})

describe('components', () => {
  it("carry the budgets' names for the reference gateway", () => {
    const timing =
      'kt-input-policy;dur=0.2, kt-routing;dur=0.05, kt-events;dur=0.004, kt-upstream;dur=90, kt-overhead;dur=1'
    const { componentsUs } = read({ 'server-timing': timing })
    expect(componentsUs).toEqual({ input_policy: 200, routing: 50, event_emission: 4 })
  })

  it('come with detailed timing from LiteLLM', () => {
    const headers = {
      'x-litellm-overhead-duration-ms': '5',
      'x-litellm-timing-pre-processing-ms': '1',
      'x-litellm-timing-post-processing-ms': '2',
      'x-litellm-timing-message-copy-ms': '0.5',
      'x-litellm-callback-duration-ms': '0.25',
    }
    expect(read(headers).componentsUs).toEqual({
      pre_processing: 1_000,
      post_processing: 2_000,
      message_copy: 500,
      callback: 250,
    })
  })

  it('are excluded when one is impossible', () => {
    const report = read({ 'server-timing': 'kt-routing;dur=500, kt-overhead;dur=1' })
    expect(report.componentsUs).toEqual({})
    expect(report.rejected).toEqual(['a component below zero or above the time of the whole request'])
    expect(readingsOf(report)).toEqual([['self-reported', 1_000]])
  })
})

describe('streams', () => {
  it('take the trailer over the header, since the header left before the end', () => {
    const headers = { 'server-timing': 'kt-overhead;dur=1' }
    const trailers = { 'server-timing': 'kt-overhead;dur=4' }
    const report = read(headers, { trailers, stream: true })
    expect(report.readings).toMatchObject([{ us: 4_000, source: 'server-timing trailer: kt-overhead' }])
    expect(read(headers, { stream: true }).readings[0]?.note).toContain('up to the headers')
  })

  it('measure a wait for headers up to the headers, and say so', () => {
    const [reading] = read({ 'x-bifrost-upstream-latency-ms': '45' }, { stream: true }).readings
    expect(reading).toMatchObject({ us: 5_000, source: 'time to headers less x-bifrost-upstream-latency-ms' })
    expect(reading?.note).toContain('only up to the headers')
  })
})

describe('impossible figures are excluded, by rule', () => {
  it.each<[string, ResponseHeaders, string]>([
    ['a negative figure', { 'x-litellm-overhead-duration-ms': '-1' }, 'x-litellm-overhead-duration-ms below zero'],
    ['words', { 'x-litellm-overhead-duration-ms': 'None' }, 'x-litellm-overhead-duration-ms not a number'],
    ['an empty header', { 'x-litellm-overhead-duration-ms': '' }, 'x-litellm-overhead-duration-ms not a number'],
    [
      "more than the client's time",
      { 'x-litellm-overhead-duration-ms': '100.5' },
      "x-litellm-overhead-duration-ms above the client's own time",
    ],
    [
      'the Bedrock bug',
      { 'x-litellm-overhead-duration-ms': '80.5', 'x-litellm-response-duration-ms': '80.5' },
      'equal to x-litellm-response-duration-ms: the known LiteLLM bug (Bedrock)',
    ],
    [
      'a wait longer than the request',
      { 'x-envoy-upstream-service-time': '102' },
      "x-envoy-upstream-service-time above the client's own time",
    ],
    ['seconds', { 'server-timing': 'upstream;dur=0.093' }, 'Server-Timing looks like seconds, not milliseconds'],
    [
      'seconds, seen by the total',
      { 'server-timing': 'gateway;dur=0.002, total;dur=0.099' },
      'Server-Timing looks like seconds, not milliseconds',
    ],
    ['a cache hit', { 'x-portkey-cache-status': 'SEMANTIC HIT' }, "answered from the gateway's cache"],
    ['Kong for itself', { 'x-kong-response-latency': '2' }, 'Kong answered itself, without an upstream'],
    [
      "Kong's cache",
      { 'x-cache-status': 'Hit', 'x-kong-proxy-latency': '1', 'x-kong-upstream-latency': '0' },
      "answered from the gateway's cache",
    ],
  ])('%s', (_, headers, rule) => {
    expect(read(headers)).toMatchObject({ readings: [], rejected: [rule] })
  })

  it('takes a wait that was rounded up to the next millisecond for nothing left', () => {
    expect(readingsOf(read({ 'x-envoy-upstream-service-time': '101' }, { tookUs: 100_400 }))).toEqual([
      ['upstream-reported', 0],
    ])
  })

  it(
    "shows the provider's own time beside what the gateway says, under its own name, and " + 'rejects what cannot be',
    () => {
      const passed = read({ 'x-portkey-trace-id': 'a', 'openai-processing-ms': '80' })
      expect(passed).toMatchObject({ gateway: 'Portkey', caveat: expect.stringContaining('no timing header') })
      expect(readingsOf(passed)).toEqual([['provider-reported', 20_000]])
      expect(read({ 'openai-processing-ms': '102' })).toMatchObject({
        readings: [],
        rejected: ["openai-processing-ms above the client's own time"],
      })
      expect(read({ 'openai-processing-ms': '40' }, { stream: true }).readings[0]?.note).toContain('never judged')
    },
  )

  it('does not mistake a quick upstream for seconds', () => {
    expect(read({ 'server-timing': 'upstream;dur=0.01' }).rejected).toEqual([])
    expect(read({ 'x-portkey-cache-status': 'MISS' }).rejected).toEqual([])
  })
})
