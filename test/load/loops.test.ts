import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
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

describe('load', () => {
  it('a closed loop keeps its concurrency and opens one connection a slot', async () => {
    let busy = 0
    let most = 0
    server = await httpServer((request, response) => {
      most = Math.max(most, ++busy)
      response.on('close', () => busy--)
      answerAfter(20)(request, response)
    })
    const { arm, engine } = await run(
      planFor(server.origin, { requests: 40, load: { mode: 'closed', concurrency: 5 } }),
    )
    expect(arm.outcomes).toEqual({ OK: 40 })
    expect(most).toBe(5)
    expect(engine.opened).toEqual([5])
    expect(arm.reused).toBe(35)
  })

  it('warm-up requests are sent and excluded', async () => {
    let calls = 0
    server = await httpServer((request, response) => {
      calls++
      answerAfter(0)(request, response)
    })
    const { arm } = await run(planFor(server.origin, { requests: 10, warmup: 7 }))
    expect(calls).toBe(17)
    expect(arm.warmup).toEqual({ sent: 7, failed: 0 })
    expect(decoded(arm.metrics.latency).count).toBe(10)
  })

  it('an open loop counts the wait for a slot: latency from the intended time, service without it', async () => {
    server = await httpServer(answerAfter(50))
    const { arm, engine } = await run(
      planFor(server.origin, { requests: 40, load: { mode: 'open', rps: 100, maxInFlight: 1 } }),
    )
    // 50 ms each, 10 ms apart, one at a time: the last one is due at 390 ms and ends after 2,000.
    expect(decoded(arm.metrics.latency).maxUs).toBeGreaterThan(1_400_000)
    expect(decoded(arm.metrics.service).quantileUs(0.5)).toBeLessThan(400_000)
    expect(engine.kept.offeredUs / engine.kept.achievedUs).toBeLessThan(0.5)
  })

  it('a late server does not slow an open loop down', async () => {
    server = await httpServer(answerAfter(300))
    const { arm, engine } = await run(
      planFor(server.origin, { requests: 50, load: { mode: 'open', rps: 200, maxInFlight: 100 } }),
    )
    expect(arm.outcomes).toEqual({ OK: 50 })
    expect(engine.kept.offeredUs / engine.kept.achievedUs).toBeGreaterThan(0.5)
    expect(decoded(engine.kept.sendLag.pack()).count).toBe(50)
  })

  it('requests that were due and never got a slot are counted, in the tail', async () => {
    server = await httpServer((request) => request.resume())
    const { arm } = await run(
      planFor(server.origin, {
        requests: undefined,
        durationUs: 300_000,
        timeoutUs: 400_000,
        load: { mode: 'open', rps: 50, maxInFlight: 1 },
      }),
    )
    const total = Object.values(arm.outcomes).reduce((sum, count) => sum + count, 0)
    expect(total).toBe(15)
    expect(arm.outcomes.KT_ABORTED_AT_DEADLINE).toBeGreaterThan(10)
    expect(decoded(arm.metrics.latency).count).toBe(15)
  })

  it('a stop lets requests in flight end, up to its limit, and keeps what was measured', async () => {
    let calls = 0
    server = await httpServer((request, response) =>
      ++calls > 6 ? request.resume() : answerAfter(10)(request, response),
    )
    const plan = planFor(server.origin, { requests: 1_000, load: { mode: 'closed', concurrency: 2 } })
    const { Engine } = await import('../../src/load/engine.ts')
    const { now } = await import('../../src/system/clock.ts')
    const engine = new Engine(plan, now)
    const running = engine.run()
    while (calls < 8) await new Promise((resolve) => setTimeout(resolve, 5))
    engine.stop('interrupted', 150_000)
    await running
    const arm = engine.recorders[0]?.toRecord()
    // What the interrupt cut off is no failure of the target: no figure holds it.
    expect(arm?.outcomes).toEqual({ OK: 6 })
    expect(arm).toMatchObject({ cutOff: 2, blocks: [{ sent: 6 }] })
    expect(engine.recorders[0]).toMatchObject({ sent: 6, done: 6, failed: 0 })
  })

  it('two arms take turns by block and get the same requests', async () => {
    const prompts: Record<string, string[]> = { gatewayy: [], directtt: [] }
    server = await httpServer((request, response) => {
      let body = ''
      request.on('data', (part) => {
        body += part
      })
      request.on('end', () => {
        const nonce = /kt([a-z]{8})([a-z]{8})"/.exec(body)
        prompts[nonce?.[1] ?? '']?.push(nonce?.[2] ?? '')
        response.end(OK_BODY)
      })
    })
    const base = planFor(server.origin, { requests: 25, blocks: 10 })
    const [arm] = base.arms
    if (!arm) throw new Error('no arm')
    const { arms } = await run({
      ...base,
      arms: [
        { ...arm, name: 'gateway', tag: 'gatewayy' },
        { ...arm, name: 'direct', tag: 'directtt' },
      ],
    })
    expect(arms.map((entry) => entry.outcomes)).toEqual([{ OK: 25 }, { OK: 25 }])
    expect(arms[0]?.blocks.map((block) => block.sent)).toEqual([3, 3, 3, 3, 3, 2, 2, 2, 2, 2])
    // The first request of each block is the first after its connection was idle, and does not count.
    expect(prompts.gatewayy).toHaveLength(35)
    expect(prompts.gatewayy).toEqual(prompts.directtt)
    expect(new Set(prompts.gatewayy).size).toBe(35)
  })
})
