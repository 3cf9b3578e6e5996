import { expect, test } from 'vitest'
import { Timings } from '../../../reference-gateway/http/timings.ts'
import { EVENT_METRICS } from '../../../src/gateway-cli/event-stats.ts'
import { readSelfReported } from '../../../src/overhead/self-reported.ts'
import { OVERHEAD_COMPONENTS } from '../../../src/wire/overhead-components.ts'

/** A request with every hook on: each component has a time of its own. */
function allOn(): Timings {
  const timings = new Timings()
  return Object.assign(timings, {
    inputPolicyMs: 1,
    routingMs: 2,
    cacheMs: 3,
    injectMs: 4,
    acquireMs: 5,
    outputPolicyMs: 6,
    eventsMs: 7,
    holdMs: 8,
    upstreamMs: 9,
  })
}

test('kt reads every component that the gateway writes, under the name of reports', () => {
  const headers = { 'server-timing': allOn().serverTiming(40) }
  const answer = { headers, trailers: {}, sentUs: 0, headersUs: 90_000, endUs: 100_000 }
  const read = readSelfReported(answer, false)
  expect(read?.readings).toMatchObject([{ definition: 'self-reported', us: 40_000 }])
  expect(read?.componentsUs).toEqual({
    input_policy: 1_000,
    routing: 2_000,
    cache: 3_000,
    injected_delay: 4_000,
    connection_acquisition: 5_000,
    output_policy: 6_000,
    event_emission: 7_000,
    hold: 8_000,
  })
})

test('the header keeps its order: parts of the work, the wait, what was held, the whole', () => {
  const names = allOn()
    .serverTiming(40)
    .split(', ')
    .map((entry) => entry.split(';')[0])
  expect(names).toEqual([
    'kt-input-policy',
    'kt-routing',
    'kt-cache',
    'kt-inject',
    'kt-acquire',
    'kt-output-policy',
    'kt-events',
    'kt-upstream',
    'kt-hold',
    'kt-overhead',
  ])
})

test('a hook that is off has no component, and each component is a metric of events', () => {
  const written = OVERHEAD_COMPONENTS.filter(({ name }) => new Timings().component(name) !== undefined)
  expect(written.map(({ name }) => name)).toEqual(['routing', 'connection_acquisition'])
  expect(EVENT_METRICS).toEqual(expect.arrayContaining(OVERHEAD_COMPONENTS.map(({ field }) => field)))
})
