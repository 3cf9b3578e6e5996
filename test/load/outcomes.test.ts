import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/wire/outcome.ts'
import { decoded, httpServer, OK_BODY, planFor, run, type TestServer, tcpServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const answer =
  (
    status: number,
    body: string | Buffer,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): RequestListener =>
  (request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(status, headers).end(body))
  }

const EVENTS = { 'content-type': 'text/event-stream' }
const token = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
const raw = (text: string) => (socket: Socket) => socket.once('data', () => socket.end(text))

describe('how a request ends', () => {
  const http: [string, boolean, RequestListener, Outcome][] = [
    ['a whole answer', false, answer(200, OK_BODY), 'OK'],
    ['a gzipped answer', false, answer(200, gzipSync(OK_BODY), { 'content-encoding': 'gzip' }), 'OK'],
    ['a redirect', false, answer(302, '', { location: '/' }), 'KT_HTTP_3XX'],
    ['400', false, answer(400, '{"error":{"message":"bad"}}'), 'KT_HTTP_4XX'],
    ['401', false, answer(401, '{"error":{"message":"no key"}}'), 'KT_HTTP_401'],
    ['404', false, answer(404, '{"error":{"message":"no such model"}}'), 'KT_HTTP_404'],
    ['429', false, answer(429, ''), 'KT_HTTP_429'],
    ['500', false, answer(500, '<h1>oops</h1>'), 'KT_HTTP_5XX'],
    ['HTML instead of JSON', false, answer(200, '<!doctype html><p>Welcome'), 'KT_BAD_BODY'],
    ['JSON of something else', false, answer(200, '{"hello":"world"}'), 'KT_BAD_BODY'],
    ['an error in a 200', false, answer(200, '{"error":{"message":"x"}}'), 'KT_BAD_BODY'],
    ['a whole stream', true, answer(200, `${token}data: [DONE]\n\n`, EVENTS), 'OK'],
    [
      'a gzipped stream',
      true,
      answer(200, gzipSync(`${token}data: [DONE]\n\n`), { ...EVENTS, 'content-encoding': 'gzip' }),
      'OK',
    ],
    ['JSON instead of a stream', true, answer(200, OK_BODY), 'KT_BAD_STREAM'],
    ['HTML instead of a stream', true, answer(200, '<html>'), 'KT_BAD_STREAM'],
    ['garbage in a stream', true, answer(200, `${token}data: zzz\n\ndata: [DONE]\n\n`, EVENTS), 'KT_BAD_STREAM'],
    ['a stream without its end', true, answer(200, token, EVENTS), 'KT_TRUNCATED'],
    [
      'an error event in a stream',
      true,
      answer(200, `${token}data: {"error":{"message":"late"}}\n\n`, EVENTS),
      'KT_STREAM_ERROR',
    ],
    ['429 to a stream', true, answer(429, '{"error":{"message":"slow down"}}'), 'KT_HTTP_429'],
  ]

  it.each(http)('%s', async (_name, stream, listener, outcome) => {
    server = await httpServer(listener)
    const { arm } = await run(planFor(server.origin, {}, stream))
    expect(arm.outcomes).toEqual({ [outcome]: 3 })
    expect(decoded(arm.metrics.latency).count).toBe(outcome === 'OK' ? 3 : 0)
  })

  it("quotes the provider's own message", async () => {
    server = await httpServer(answer(404, '{"error":{"message":"The model x does not exist"}}'))
    const { arm } = await run(planFor(server.origin))
    expect(arm.details.KT_HTTP_404).toBe('HTTP 404: The model x does not exist')
  })

  const tcp: [string, boolean, (socket: Socket) => void, Outcome][] = [
    ['closed before an answer', false, (socket) => socket.once('data', () => socket.destroy()), 'KT_RESET'],
    [
      'a body shorter than announced',
      false,
      raw('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"choices":'),
      'KT_TRUNCATED',
    ],
    [
      'a stream cut in the middle',
      true,
      raw(`HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n${token}`),
      'KT_TRUNCATED',
    ],
    ['something that is not HTTP', false, raw('SSH-2.0-OpenSSH_9.2\r\n'), 'KT_PROTOCOL'],
  ]

  it.each(tcp)('%s', async (_name, stream, onConnection, outcome) => {
    server = await tcpServer(onConnection)
    const { arm } = await run(planFor(server.origin, {}, stream))
    expect(arm.outcomes).toEqual({ [outcome]: 3 })
  })

  it('a refused connection', async () => {
    const gone = await tcpServer(() => {})
    await gone.close()
    const { arm } = await run(planFor(gone.origin))
    expect(arm.outcomes).toEqual({ KT_CONNECT: 3 })
  })

  it('a host that does not exist', async () => {
    const { arm } = await run(planFor('http://no-such-host.invalid'))
    expect(arm.outcomes).toEqual({ KT_DNS: 3 })
  })

  it('TLS spoken to a plain port', async () => {
    server = await httpServer(answer(200, OK_BODY))
    const { arm } = await run(planFor(server.origin.replace('http:', 'https:')))
    expect(arm.outcomes).toEqual({ KT_NO_TLS: 3 })
  })

  it('a target that never answers times out, and stays in the tail at no less than the timeout', async () => {
    server = await tcpServer(() => {})
    const { arm } = await run(planFor(server.origin, { timeoutUs: 200_000 }))
    expect(arm.outcomes).toEqual({ KT_TIMEOUT_TOTAL: 3 })
    expect(decoded(arm.metrics.latency).minUs).toBeGreaterThanOrEqual(200_000)
  })

  it('a stream that stalls times out', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      response.writeHead(200, EVENTS).write(token)
    })
    const { arm } = await run(planFor(server.origin, { timeoutUs: 200_000, requests: 1 }, true))
    expect(arm.outcomes).toEqual({ KT_TIMEOUT_TOTAL: 1 })
  })

  it('goes on after a failure on the same slot', async () => {
    let calls = 0
    server = await httpServer((request, response) => {
      if (calls++ % 2 === 0) request.socket.destroy()
      else answer(200, OK_BODY)(request, response)
    })
    const { arm } = await run(planFor(server.origin, { requests: 10 }))
    expect(arm.outcomes).toEqual({ OK: 5, KT_RESET: 5 })
  })

  it('a run against a target that only fails ends after 1,000 failures', async () => {
    server = await httpServer(answer(500, ''))
    const { arm, engine } = await run(
      planFor(server.origin, { requests: 100_000, load: { mode: 'closed', concurrency: 4 } }),
    )
    expect(engine.stopReason).toBe('target-dead')
    expect(arm.outcomes.KT_HTTP_5XX).toBeLessThan(1_010)
  })

  it('the token budget ends the run', async () => {
    server = await httpServer(answer(200, OK_BODY))
    const { arm, engine } = await run(planFor(server.origin, { requests: 1_000, tokenBudget: 80 }))
    expect(engine.stopReason).toBe('token-budget')
    expect(arm.outcomes).toEqual({ OK: 10 })
  })
})
