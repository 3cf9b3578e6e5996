import { describe, expect, test } from 'vitest'
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
    overlappedMs: 10,
    overlappedPolicyMs: 11,
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
    overlapped_work: 10_000,
    overlapped_policy: 11_000,
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
    'kt-overlapped-work',
    'kt-overlapped-policy',
    'kt-overhead',
  ])
})

test('a hook that is off has no component, and each component is a metric of events', () => {
  const written = OVERHEAD_COMPONENTS.filter(({ name }) => new Timings().component(name) !== undefined)
  expect(written.map(({ name }) => name)).toEqual(['routing', 'connection_acquisition'])
  expect(EVENT_METRICS).toEqual(expect.arrayContaining(OVERHEAD_COMPONENTS.map(({ field }) => field)))
})

describe('work on pieces of a stream', () => {
  /** Work of 4 ms before the head, 1 ms on each piece; the provider needs `waits` for its head and its pieces. */
  function streamed(waits: readonly number[], workMs = 1): Timings {
    const timings = new Timings()
    let nowMs = 1_000
    timings.arrived(nowMs)
    nowMs += 4
    timings.enter('upstream', nowMs)
    for (const waitMs of waits) {
      nowMs += waitMs
      timings.enter('work', nowMs)
      nowMs += workMs
      timings.passed(nowMs)
    }
    nowMs += 20
    timings.enter('work', nowMs)
    nowMs += 2
    timings.enter('client', nowMs)
    return timings
  }

  test('is overlapped where the provider takes longer for its next piece; first piece and end are delay', () => {
    const timings = streamed([100, 20, 20, 20])
    expect(timings.overlappedMs).toBeCloseTo(3)
    expect(timings.overheadMs).toBeCloseTo(4 + 1 + 2)
    expect(timings.upstreamMs).toBeCloseTo(180)
  })

  test('is delay where the next piece was there already, and as far as it took longer than the gap', () => {
    expect(streamed([100, 20, 0, 0, 20]).overlappedMs).toBeCloseTo(2)
    const slow = streamed([100, 20, 3, 3], 5)
    expect(slow.overlappedMs).toBeCloseTo(3 + 3 + 5)
    expect(slow.overheadMs).toBeCloseTo(4 + 5 + 2 + 2 + 2)
  })

  test('the share of output policies goes with it', () => {
    const timings = new Timings()
    timings.arrived(0)
    timings.enter('upstream', 1)
    let nowMs = 1
    for (const waitMs of [50, 20, 1, 20]) {
      nowMs += waitMs
      timings.enter('work', nowMs)
      timings.judged(3)
      nowMs += 4
      timings.passed(nowMs)
    }
    timings.enter('work', nowMs + 20)
    // The first piece, and three quarters of what the gap of 1 ms did not hide.
    expect(timings.outputPolicyMs).toBeCloseTo(3 + (3 * 3) / 4)
    expect(timings.overlappedPolicyMs).toBeCloseTo(3 / 4 + 3 + 3)
    expect(timings.component('overlapped_work')).toBeCloseTo(1 + 4 + 4)
  })

  test('no moment is lost or counted twice', () => {
    const timings = streamed([100, 20, 0.5, 7])
    const { upstreamMs, holdMs, clientMs, overheadMs, overlappedMs = 0 } = timings
    expect(upstreamMs + holdMs + clientMs + overheadMs + overlappedMs).toBeCloseTo(4 + 127.5 + 4 + 20 + 2)
  })
})
