// How connections are used: one for each request, kept alive, TLS with a private certificate, HTTP/2 in the clear and
// by TLS.
import { afterEach, describe, expect, it } from 'vitest'
import type { ConnectionSpec } from '../../src/client/connection.ts'
import { selfSigned } from '../../src/provider/certificate.ts'
import { type ProviderOptions, type SimulatedProvider, startProvider } from '../../src/provider/server.ts'
import { decoded, httpServer, OK_BODY, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
let provider: SimulatedProvider | undefined
afterEach(async () => {
  await server?.close()
  await provider?.close(0)
  server = undefined
  provider = undefined
})

async function providerOf(options: Partial<ProviderOptions>): Promise<SimulatedProvider> {
  const fixed = (us: number) => ({ kind: 'fixed' as const, us })
  provider = await startProvider({
    host: '127.0.0.1',
    port: 0,
    tokens: 4,
    latency: { ttft: fixed(10_000), tokenGap: fixed(1_000), seed: 1 },
    ...options,
  })
  return provider
}

const spec = (changes: Partial<ConnectionSpec>): ConnectionSpec => ({
  http: 'h1',
  keepAlive: true,
  insecure: false,
  streams: 1,
  ...changes,
})
const h2 = spec({ http: 'h2', streams: 100 })

describe('connections', () => {
  it('--no-keepalive opens one for every request and shows what that costs', async () => {
    let opened = 0
    const seen: (string | undefined)[] = []
    server = await httpServer((request, response) => {
      seen.push(request.headers.connection)
      request.resume()
      request.on('end', () => response.end(OK_BODY))
      request.socket.once('close', () => opened++)
    })
    const { arm, engine } = await run(
      planFor(server.origin, {
        requests: 12,
        load: { mode: 'closed', concurrency: 3 },
        connection: spec({ keepAlive: false }),
      }),
    )
    expect(arm.outcomes).toEqual({ OK: 12 })
    expect(new Set(seen)).toEqual(new Set(['close']))
    expect(engine.opened).toEqual([12])
    expect(arm.reused).toBe(0)
    expect(decoded(arm.metrics.connect).count).toBe(12)
  })

  it('kept alive, only the first request of a connection has opened it', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      request.on('end', () => response.end(OK_BODY))
    })
    const { arm, engine } = await run(
      planFor(server.origin, { requests: 12, load: { mode: 'closed', concurrency: 3 } }),
    )
    expect([engine.opened, arm.reused, decoded(arm.metrics.connect).count]).toEqual([[3], 9, 3])
  })

  it.each([false, true])('HTTP/2 in the clear, streamed %s: many requests on one connection', async (stream) => {
    const { url, stats } = await providerOf({ http2: { maxConcurrentStreams: 100 } })
    const { arm, engine } = await run(
      planFor(url, { requests: 60, load: { mode: 'closed', concurrency: 20 }, connection: h2 }, stream),
    )
    expect(arm.outcomes).toEqual({ OK: 60 })
    expect(engine.opened).toEqual([1])
    expect(arm.reused).toBe(59)
    expect(decoded(arm.stamped.total).count).toBe(60)
    expect(JSON.stringify(stats())).toContain('http2')
  })

  it('HTTP/2 with a number of connections shares the streams between them', async () => {
    const { url } = await providerOf({ http2: { maxConcurrentStreams: 100 } })
    const { arm, engine } = await run(
      planFor(url, { requests: 40, load: { mode: 'closed', concurrency: 8 }, connection: { ...h2, connections: 4 } }),
    )
    expect([arm.outcomes, engine.opened]).toEqual([{ OK: 40 }, [4]])
  })

  it("the server's limit of streams is honoured: the rest waits, in latency and not in service", async () => {
    const { url } = await providerOf({ http2: { maxConcurrentStreams: 2 } })
    // The first request waits for the connection, and learns the limit.
    const { arm } = await run(
      planFor(url, { requests: 24, warmup: 4, load: { mode: 'closed', concurrency: 12 }, connection: h2 }),
    )
    expect(arm.outcomes).toEqual({ OK: 24 })
    const [latency, service] = [decoded(arm.metrics.latency), decoded(arm.metrics.service)]
    expect(latency.quantileUs(0.5)).toBeGreaterThan(2 * service.quantileUs(0.5))
  })

  it('a server without HTTP/2 fails --http2', async () => {
    server = await httpServer((_request, response) => response.end(OK_BODY))
    const { arm } = await run(planFor(server.origin, { connection: h2, timeoutUs: 2_000_000 }))
    expect(arm.outcomes).toEqual({ KT_NO_HTTP2: 3 })
  })

  it('TLS: refused by an unknown certificate, trusted by --ca, labelled by --insecure; h2 by ALPN', async () => {
    const tls = selfSigned('127.0.0.1')
    const { url } = await providerOf({ tls, http2: { maxConcurrentStreams: 50 } })
    const with_ = async (connection: ConnectionSpec | undefined) =>
      (await run(planFor(url, { requests: 4, connection }))).arm.outcomes
    expect(await with_(undefined)).toEqual({ KT_TLS: 4 })
    expect(await with_(spec({ ca: tls.cert }))).toEqual({ OK: 4 })
    expect(await with_(spec({ insecure: true }))).toEqual({ OK: 4 })
    expect(await with_({ ...h2, ca: tls.cert })).toEqual({ OK: 4 })
  })

  it('TLS without h2 is reported as such', async () => {
    const tls = selfSigned('127.0.0.1')
    const { url } = await providerOf({ tls })
    const { arm } = await run(planFor(url, { requests: 2, connection: { ...h2, ca: tls.cert } }))
    expect(arm.outcomes).toEqual({ KT_NO_HTTP2: 2 })
    expect(arm.details.KT_NO_HTTP2).toContain('does not speak HTTP/2')
  })
})
