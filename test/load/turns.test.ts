// Two arms in one run on real sockets: in turns by block or by request, without the first request of an idle
// connection, and with interim analyses.
import { afterEach, describe, expect, it } from 'vitest'
import { Engine } from '../../src/load/engine.ts'
import type { EngineHooks } from '../../src/load/engine-hooks.ts'
import { ALONE, type WorkerShare } from '../../src/load/pacing.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { now } from '../../src/system/clock.ts'
import { findNonce } from '../../src/wire/nonce.ts'
import { decoded, httpServer, OK_BODY, planFor, type TestServer } from '../support/engine.ts'

/** A request as a server saw it. */
interface Seen {
  arm: string
  seed: string
  port: number
}

const servers: TestServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

/** A server that notes each request and answers after `delayMs`. */
async function arm(name: string, seen: Seen[], delayMs = 1): Promise<string> {
  const server = await httpServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { messages } = JSON.parse(body) as { messages: { content: string }[] }
      seen.push({
        arm: name,
        seed: findNonce(messages.at(-1)?.content ?? '')?.slice(8) ?? '',
        port: request.socket.remotePort ?? 0,
      })
      setTimeout(() => response.end(OK_BODY), delayMs)
    })
  })
  servers.push(server)
  return server.origin
}

async function twoArms(changes: Partial<RunPlan>, hooks: EngineHooks = {}, worker: WorkerShare = ALONE) {
  const seen: Seen[] = []
  const plan = planFor('http://unused', {
    load: { mode: 'closed', concurrency: 3 },
    requests: 60,
    blocks: 4,
    ...changes,
  })
  const [template] = plan.arms
  if (!template) throw new Error('no arm')
  plan.arms = [
    { ...template, name: 'gateway', origin: await arm('gateway', seen), tag: 'gatewayx' },
    { ...template, name: 'direct', origin: await arm('direct', seen), tag: 'directxx' },
  ]
  const engine = new Engine(plan, now, worker, hooks)
  await engine.run()
  const records = engine.recorders.map((recorder) => recorder.toRecord())
  return { seen, engine, records, of: (name: string) => seen.filter((one) => one.arm === name) }
}

describe('in turns by block', () => {
  it('sends the first request of each connection in a block beyond what was asked for, counted apart', async () => {
    const { engine, records, of } = await twoArms({ warmup: 3 })
    for (const [i, record] of records.entries()) {
      expect(record.outcomes).toEqual({ OK: 60 })
      expect(record.idleFirst).toEqual({ sent: 12, failed: 0 })
      expect(record.blocks.map(({ sent }) => sent)).toEqual([15, 15, 15, 15])
      expect(decoded(record.metrics.latency).count).toBe(60)
      expect(of(i === 0 ? 'gateway' : 'direct').length).toBe(3 + 12 + 60)
    }
    // Both arms hold as many connections as there are slots, over all blocks.
    expect(engine.opened).toEqual([3, 3])
    for (const name of ['gateway', 'direct']) expect(new Set(of(name).map(({ port }) => port)).size).toBe(3)
  })

  it('measures the same requests on both arms', async () => {
    const { engine, of } = await twoArms({ warmup: 2, warmupUs: 50_000 })
    expect(engine.stopReason).toBeUndefined()
    const both = of('gateway').filter(({ seed }) => of('direct').some((one) => one.seed === seed))
    expect(both.length).toBeGreaterThanOrEqual(60)
  })

  it('measures these requests too, and sends no more than was asked for, where the plan says so', async () => {
    const { records, of } = await twoArms({ excludeIdleFirst: false, requests: 20 })
    expect(records.map(({ idleFirst, outcomes }) => [idleFirst.sent, outcomes.OK])).toEqual([
      [0, 20],
      [0, 20],
    ])
    expect([of('gateway').length, of('direct').length]).toEqual([20, 20])
  })

  it('counts the first request of a block apart even if the server closed its idle connection', async () => {
    const closing: TestServer = await httpServer((request, response) => {
      request.resume()
      request.on('end', () => response.setHeader('connection', 'close').end(OK_BODY))
    })
    servers.push(closing)
    const plan = planFor(closing.origin, { requests: 20, blocks: 2 })
    plan.arms = [...plan.arms, ...plan.arms.map((one) => ({ ...one, tag: 'othertag' }))]
    const engine = new Engine(plan, now)
    await engine.run()
    expect(engine.recorders.map((recorder) => recorder.toRecord().idleFirst.sent)).toEqual([2, 2])
  })

  it('excludes what an open loop sends before the first answer, and nothing after it', async () => {
    // Blocks long enough for a machine that stops for a while.
    const { records } = await twoArms({ load: { mode: 'open', rps: 100, maxInFlight: 100 }, requests: 40, blocks: 2 })
    for (const record of records) {
      expect(record.outcomes).toEqual({ OK: 40 })
      expect(record.idleFirst.sent).toBeGreaterThanOrEqual(2)
      expect(record.idleFirst.sent).toBeLessThan(40)
    }
  })
})

describe('in turns by request', () => {
  it.each([1, 4])(
    'with %i in flight: pairs in random order, the same number on both arms, none excluded',
    async (concurrency) => {
      const { seen, records, engine } = await twoArms({
        load: { mode: 'closed', concurrency },
        pairing: 'request',
        warmup: concurrency,
      })
      expect(records.map(({ outcomes }) => outcomes)).toEqual([{ OK: 60 }, { OK: 60 }])
      expect(records.map(({ idleFirst }) => idleFirst.sent)).toEqual([0, 0])
      expect(records.map(({ blocks }) => blocks.map(({ sent }) => sent))).toEqual([
        Array(4).fill(15),
        Array(4).fill(15),
      ])
      expect(engine.opened).toEqual([concurrency, concurrency])
      if (concurrency > 1) return
      const measured = seen.slice(2)
      const pairs = Array.from({ length: 60 }, (_, i) => measured.slice(2 * i, 2 * i + 2))
      expect(pairs.every(([a, b]) => a?.arm !== b?.arm && a?.seed === b?.seed)).toBe(true)
      expect(new Set(pairs.map(([first]) => first?.arm)).size).toBe(2)
    },
  )

  it('shares the rate of an open loop', async () => {
    const { records } = await twoArms({
      load: { mode: 'open', rps: 400, maxInFlight: 100 },
      pairing: 'request',
      requests: undefined,
      durationUs: 250_000,
    })
    // 400 a second for twice the time of an arm.
    expect(records.map(({ outcomes }) => outcomes)).toEqual([{ OK: 100 }, { OK: 100 }])
    expect(records.map(({ blocks }) => blocks.length)).toEqual([4, 4])
  })
})

describe('interim analyses', () => {
  it.each(['block', 'request'] as const)('end a run paired by %s as soon as it is decided', async (pairing) => {
    const asked: number[] = []
    const ended = await twoArms(
      { pairing, blocks: 6, interimAnalyses: [2, 4, 6] },
      {
        continueAfter: async (blocks) => {
          asked.push(blocks)
          return blocks < 4
        },
      },
    )
    expect(asked).toEqual([2, 4])
    expect(ended.records.map(({ outcomes }) => outcomes)).toEqual([{ OK: 40 }, { OK: 40 }])
    expect(ended.records.map(({ blocks }) => blocks.length)).toEqual([4, 4])
  })

  it('do not happen at the end, which is judged anyway', async () => {
    const asked: number[] = []
    const { records } = await twoArms(
      { interimAnalyses: [2, 4] },
      {
        continueAfter: async (blocks) => {
          asked.push(blocks)
          return true
        },
      },
    )
    expect(asked).toEqual([2])
    expect(records.map(({ outcomes }) => outcomes)).toEqual([{ OK: 60 }, { OK: 60 }])
  })
})

describe('an open loop in turns by block', () => {
  it.each([1, 3])('measures as many requests as the rate and the duration ask for, over %i threads', async (count) => {
    // A machine that stops for a while must not reach the limit.
    const load = { mode: 'open', rps: 200, maxInFlight: 1_000 } as const
    const changes = { load, requests: undefined, durationUs: 600_000, blocks: 3, excludeIdleFirst: true } as const
    let [measured, excluded, dueUs] = [0, 0, 0]
    for (let index = 0; index < count; index++) {
      const { records } = await twoArms({ ...changes, timeoutUs: 5_000_000 }, {}, { index, count })
      measured += records[0]?.outcomes.OK ?? 0
      excluded += records[0]?.idleFirst.sent ?? 0
      dueUs = records[0]?.dueUs ?? 0
    }
    expect(measured).toBe(120)
    expect(excluded).toBeGreaterThan(0)
    // A machine that stops for a while begins to measure later.
    expect(Math.abs(dueUs / 600_000 - 1)).toBeLessThan(0.25)
  })
})
