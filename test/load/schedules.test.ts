// Schedules on real sockets: think time, ramps, warm-up and cool-down, the limits at the end.
import type { RequestListener } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { parseStages } from '../../src/schedule/ramp.ts'
import { decoded, httpServer, OK_BODY, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const answerAfter =
  (ms: number): RequestListener =>
  (request, response) => {
    request.resume()
    request.on('end', () => setTimeout(() => response.end(OK_BODY), ms))
  }

const stagesFrom = (text: string) => {
  const stages = parseStages(text)
  if (!stages.ok) throw new Error(stages.why)
  return stages.value
}

it('think time is no part of the latency, and the report has the true number in flight', async () => {
  server = await httpServer(answerAfter(20))
  const { arm } = await run(
    planFor(server.origin, {
      requests: undefined,
      durationUs: 1_200_000,
      load: { mode: 'closed', concurrency: 10, thinkUs: 180_000 },
    }),
  )
  const sent = arm.outcomes.OK ?? 0
  // Ten users, 200 ms a turn: about 60 requests, and one in flight rather than ten.
  expect(sent).toBeGreaterThan(12)
  expect(sent).toBeLessThan(72)
  expect(arm.inFlightUs / arm.activeUs).toBeLessThan(4)
  expect(decoded(arm.metrics.latency).quantileUs(0.5)).toBeLessThan(150_000)
})

it('stages in requests per second send what the ramp holds', async () => {
  server = await httpServer(answerAfter(0))
  const { stages, durationUs, highest } = stagesFrom('20rps@500ms,200rps@1s')
  const { arm } = await run(
    planFor(server.origin, {
      requests: undefined,
      durationUs,
      load: { mode: 'open', rps: highest, maxInFlight: 100, stages },
    }),
  )
  expect(Math.abs((arm.outcomes.OK ?? 0) - 120)).toBeLessThanOrEqual(1)
})

it('stages in flight open their slots one after another', async () => {
  let busy = 0
  const seen: number[] = []
  server = await httpServer((request, response) => {
    seen.push(++busy)
    response.on('close', () => busy--)
    answerAfter(30)(request, response)
  })
  const { stages, durationUs, highest } = stagesFrom('1@300ms,12@700ms')
  const { arm } = await run(
    planFor(server.origin, {
      requests: undefined,
      durationUs,
      load: { mode: 'closed', concurrency: highest, stages },
    }),
  )
  expect(seen.slice(0, 4)).toEqual([1, 1, 1, 1])
  expect(Math.max(...seen)).toBeGreaterThan(6)
  expect(Math.max(...seen)).toBeLessThanOrEqual(12)
  expect(arm.mostInFlight).toBeLessThanOrEqual(12)
})

it('poisson arrivals leave in the same pattern for the same seed', async () => {
  server = await httpServer(answerAfter(0))
  const plan = planFor(server.origin, {
    requests: 60,
    load: { mode: 'open', rps: 300, maxInFlight: 100, arrival: { kind: 'poisson', burstiness: 1 } },
  })
  const { arm, engine } = await run(plan)
  expect(arm.outcomes).toEqual({ OK: 60 })
  const { engine: again } = await run(plan)
  expect(again.kept.offeredUs).toBe(engine.kept.offeredUs)
})

it('a warm-up given in time and a cool-down are sent and excluded', async () => {
  let calls = 0
  server = await httpServer((request, response) => {
    calls++
    answerAfter(0)(request, response)
  })
  const { arm } = await run(
    planFor(server.origin, {
      requests: 30,
      warmupUs: 200_000,
      coolDownUs: 300_000,
      load: { mode: 'open', rps: 100, maxInFlight: 10 },
    }),
  )
  expect(arm.outcomes).toEqual({ OK: 30 })
  expect(arm.warmup).toEqual({ sent: 20, failed: 0 })
  expect(calls).toBe(20 + 30 + 30)
  expect(arm.activeUs).toBeLessThan(550_000)
})

it('requests in flight at the end may drain up to the limit, then they count in the tail', async () => {
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => setTimeout(() => response.end(OK_BODY), 3_000))
  })
  const started = performance.now()
  const { arm } = await run(
    planFor(server.origin, {
      requests: undefined,
      durationUs: 200_000,
      drainUs: 100_000,
      load: { mode: 'open', rps: 50, maxInFlight: 100 },
    }),
  )
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(arm.outcomes).toEqual({ KT_ABORTED_AT_DEADLINE: 10 })
  expect(decoded(arm.metrics.latency).minUs).toBeGreaterThanOrEqual(90_000)
})

// A provider that stalls for 100 ms in every second: with one request at a time those that are due meanwhile cannot be
// sent, and only their intended time shows it.
it('coordinated omission: a stall is in the latency of all that waited, in the service time of 1 in 200', async () => {
  const startedMs = performance.now()
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const intoSecond = (performance.now() - startedMs) % 1_000
      setTimeout(() => response.end(OK_BODY), intoSecond < 100 ? 100 - intoSecond : 0)
    })
  })
  const { arm } = await run(
    planFor(server.origin, {
      requests: undefined,
      durationUs: 3_000_000,
      load: { mode: 'open', rps: 200, maxInFlight: 1 },
    }),
  )
  const latency = decoded(arm.metrics.latency)
  const service = decoded(arm.metrics.service)
  expect(latency.count).toBe(600)
  expect(latency.quantileUs(0.99)).toBeGreaterThan(60_000)
  expect(service.quantileUs(0.98)).toBeLessThan(latency.quantileUs(0.98) / 2)
  expect(service.countAbove(60_000)).toBeLessThan(latency.countAbove(60_000) / 2)
})
