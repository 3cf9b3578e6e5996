import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { findMissedDeadline } from '../../src/client/deadlines.ts'
import { decoded, httpServer, planFor, run, type TestServer, tcpServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const EVENTS = { 'content-type': 'text/event-stream' }
const token = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'

describe('deadlines', () => {
  it('no first token in time', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      response.writeHead(200, EVENTS).write('data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n')
    })
    const { arm } = await run(planFor(server.origin, { requests: 2, deadlines: { firstTokenUs: 150_000 } }, true))
    expect(arm.outcomes).toEqual({ KT_TIMEOUT_FIRST_TOKEN: 2 })
    expect(decoded(arm.metrics.latency).minUs).toBeGreaterThanOrEqual(150_000)
  })

  it('a stream that falls silent, though it pings', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      response.writeHead(200, EVENTS).write(token)
      const pings = setInterval(() => response.write(': ping\n\n'), 20)
      response.on('close', () => clearInterval(pings))
    })
    const plan = planFor(server.origin, { requests: 2, deadlines: { firstTokenUs: 5_000_000, idleUs: 150_000 } }, true)
    const { arm } = await run(plan)
    expect(arm.outcomes).toEqual({ KT_TIMEOUT_IDLE: 2 })
  })

  it('slow but steady tokens are neither', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      response.writeHead(200, EVENTS)
      let left = 6
      const tokens = setInterval(() => {
        if (left-- > 0) response.write(token)
        else {
          clearInterval(tokens)
          response.end('data: [DONE]\n\n')
        }
      }, 60)
    })
    const plan = planFor(
      server.origin,
      { requests: 1, deadlines: { firstTokenUs: 2_000_000, idleUs: 2_000_000 } },
      true,
    )
    const { arm } = await run(plan)
    expect(arm.outcomes).toEqual({ OK: 1 })
  })

  it('a TLS handshake that never ends is a connect timeout', async () => {
    server = await tcpServer(() => {})
    const { arm } = await run(
      planFor(server.origin.replace('http:', 'https:'), { requests: 2, deadlines: { connectUs: 150_000 } }),
    )
    expect(arm.outcomes).toEqual({ KT_TIMEOUT_CONNECT: 2 })
  })

  it('are never met early, and name the first one that was', () => {
    const us = fc.integer({ min: 1, max: 1_000 })
    fc.assert(
      fc.property(us, us, us, us, us, (totalUs, firstTokenUs, idleUs, sentUs, nowUs) => {
        const limits = { totalUs, firstTokenUs, idleUs }
        const waiting = {
          dispatchedUs: 0,
          sentUs,
          firstTokenUs: Number.NaN,
          lastTokenUs: Number.NaN,
          connection: { connectedUs: 0 },
        }
        const late = findMissedDeadline(waiting, nowUs, limits)
        expect(late?.outcome).toBe(
          nowUs >= totalUs ? 'KT_TIMEOUT_TOTAL' : nowUs - sentUs >= firstTokenUs ? 'KT_TIMEOUT_FIRST_TOKEN' : undefined,
        )
        const streaming = { ...waiting, firstTokenUs: sentUs, lastTokenUs: sentUs }
        expect(findMissedDeadline(streaming, nowUs, limits)?.outcome).toBe(
          nowUs >= totalUs ? 'KT_TIMEOUT_TOTAL' : nowUs - sentUs >= idleUs ? 'KT_TIMEOUT_IDLE' : undefined,
        )
      }),
    )
  })
})
