// The timer wakes ahead of a request's due time, so that the request is ready when it is due; none leaves before.
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/load/engine.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { SendLeadTime } from '../../src/load/precision-timer.ts'
import { selfSigned } from '../../src/provider/certificate.ts'
import { startProvider } from '../../src/provider/server.ts'
import { randomFrom } from '../../src/stats/random.ts'
import { now } from '../../src/system/clock.ts'
import { planFor } from '../support/engine.ts'

const REQUESTS = 3_000

describe('the send lead time', () => {
  /**
   * Each request is ready `readyAfterUs` after the timer woke; the figures are of the second half, when it is settled.
   */
  function settled(gapUs: number, readyAfterUs: () => number): { inTime: number; waitShare: number; us: number } {
    const leadTime = new SendLeadTime()
    let [inTime, waitedUs] = [0, 0]
    for (let i = 1; i <= REQUESTS; i++) {
      const dueUs = i * gapUs
      const readyUs = dueUs - leadTime.us + readyAfterUs()
      leadTime.learn(dueUs, readyUs)
      if (i <= REQUESTS / 2) continue
      if (readyUs <= dueUs) inTime++
      waitedUs += Math.max(0, dueUs - readyUs)
    }
    return { inTime: inTime / (REQUESTS / 2), waitShare: waitedUs / (gapUs * (REQUESTS / 2)), us: leadTime.us }
  }
  const next = randomFrom(7)
  const skewed = (): number => 60 - 40 * Math.log(1 - next())

  it('nearly all requests are ready when they are due', () => {
    const { inTime, waitShare, us } = settled(5_000, skewed)
    expect(inTime).toBeGreaterThan(0.96)
    expect(waitShare).toBeLessThan(0.05)
    expect(us).toBeLessThan(300)
  })

  it('fewer are, where that would cost more than a twentieth of the time in waiting', () => {
    const wide = (): number => 400 * next()
    const { inTime, waitShare } = settled(1_000, wide)
    expect(inTime).toBeLessThan(0.7)
    expect(waitShare).toBeLessThan(0.06)
    expect(settled(10_000, wide).inTime).toBeGreaterThan(0.96)
  })

  it('requests that take longer than the longest lead time stay late; one that never was ready changes nothing', () => {
    expect(settled(5_000, () => 2_000).us).toBe(500)
    const leadTime = new SendLeadTime()
    leadTime.learn(1_000, Number.NaN)
    leadTime.learn(2_000, 1_990)
    expect(leadTime.us).toBe(99.5)
  })
})

describe('no request leaves before it is due', () => {
  async function earliestUs(changes: Partial<RunPlan>, options: object = {}): Promise<number[]> {
    const instant = { kind: 'fixed', us: 0 } as const
    const latency = { ttft: instant, tokenGap: instant, seed: 1 }
    const provider = await startProvider({ host: '127.0.0.1', port: 0, tokens: 1, latency, ...options })
    const afterUs: number[] = []
    const engine = new Engine(planFor(new URL(provider.url).origin, { requests: 400, ...changes }), now, undefined, {
      ended: ({ released }, { sentUs }) => afterUs.push(sentUs - released.intendedUs),
    })
    await engine.run()
    await provider.close(0)
    return afterUs
  }
  const h1 = { http: 'h1', keepAlive: true, insecure: false, streams: 1 } as const
  const open = { mode: 'open', rps: 800, maxInFlight: 50, arrival: { kind: 'poisson' } } as const

  it.each([
    ['an open loop', { load: open }, {}],
    ['a connection for every request', { load: open, connection: { ...h1, keepAlive: false } }, {}],
    [
      'HTTP/2',
      { load: open, connection: { ...h1, http: 'h2', streams: 100 } },
      { http2: { maxConcurrentStreams: 100 } },
    ],
    ['TLS', { load: open, connection: { ...h1, insecure: true } }, { tls: selfSigned('127.0.0.1') }],
    ['a closed loop that thinks', { load: { mode: 'closed', concurrency: 2, thinkUs: 3_000 } }, {}],
  ] as [string, Partial<RunPlan>, object][])('%s', async (_, changes, options) => {
    const afterUs = await earliestUs(changes, options)
    expect(afterUs).toHaveLength(400)
    expect(Math.min(...afterUs)).toBeGreaterThanOrEqual(0)
  })
})
