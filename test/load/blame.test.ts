// Whose fault a failure is: the wrong scheme, a client certificate that is missing, no HTTP/2, an idle connection that
// the target closed, a redirect; and that what is nobody's fault is no failure.
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { ConnectionSpec } from '../../src/client/connection.ts'
import { Inbox } from '../../src/client/inbox.ts'
import { SlotPool } from '../../src/load/slot-pool.ts'
import { selfSigned } from '../../src/provider/certificate.ts'
import { now } from '../../src/system/clock.ts'
import type { Outcome } from '../../src/wire/outcome.ts'
import { promptWorkload } from '../../src/workload/workload.ts'
import { httpServer, OK_BODY, planFor, run, type TestServer, tcpServer } from '../support/engine.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return (server.address() as AddressInfo).port
}

async function tcp(onConnection: (socket: Socket) => void): Promise<string> {
  const { origin, close } = await tcpServer(onConnection)
  closing.push(close)
  return origin
}

async function plainHttp(): Promise<TestServer> {
  const server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => response.end(OK_BODY))
  })
  closing.push(server.close)
  return server
}

const tls = selfSigned('127.0.0.1')
const https = (options: ServerOptions): Promise<number> =>
  portOf(createHttpsServer({ ...tls, ...options }, (_request, response) => response.end(OK_BODY)))

const spec = (changes: Partial<ConnectionSpec>): ConnectionSpec => ({
  http: 'h1',
  keepAlive: true,
  insecure: false,
  streams: 1,
  ...changes,
})
const H2 = spec({ http: 'h2', streams: 100 })
const TRUSTING = spec({ insecure: true })

/** Several at once, and one after another. */
async function outcomesAt(origin: string, connection?: ConnectionSpec) {
  const { arm } = await run(planFor(origin, { requests: 6, load: { mode: 'closed', concurrency: 3 }, connection }))
  return { outcomes: arm.outcomes, details: arm.details }
}

const answer = (text: string) => (socket: Socket) => socket.once('data', () => socket.end(text, 'latin1'))
const badRequest = (body: string): string =>
  `HTTP/1.1 400 Bad Request\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`

describe('plain HTTP spoken to a port that speaks TLS', () => {
  it.each([undefined, H2])('which closes without a word', async (connection) => {
    const { outcomes } = await outcomesAt(`http://127.0.0.1:${await https({})}`, connection)
    expect(outcomes).toEqual({ KT_ONLY_TLS: 6 })
  })

  it.each([
    ['an alert of TLS', '\x15\x03\x01\x00\x02\x02\x46'],
    ['the words of nginx', badRequest('<center>The plain HTTP request was sent to HTTPS port</center>')],
    ['the words of Go', badRequest('Client sent an HTTP request to an HTTPS server.\n')],
  ])('which answers with %s', async (_name, text) => {
    const { outcomes } = await outcomesAt(await tcp(answer(text)))
    expect(outcomes).toEqual({ KT_ONLY_TLS: 6 })
  })

  it.each([undefined, H2])(
    'a port that closes every connection, whatever is spoken, is not blamed for it',
    async (h) => {
      const { outcomes } = await outcomesAt(await tcp((socket) => socket.once('data', () => socket.destroy())), h)
      expect(outcomes).toEqual({ KT_RESET: 6 })
    },
  )
})

describe('TLS spoken to a port that speaks none', () => {
  it.each([undefined, H2])('which answers in plain HTTP', async (connection) => {
    const { origin } = await plainHttp()
    expect(await outcomesAt(origin.replace('http:', 'https:'), connection)).toEqual({
      outcomes: { KT_NO_TLS: 6 },
      details: { KT_NO_TLS: 'what came in answer to TLS is no TLS' },
    })
  })

  it('which closes: the handshake failed, and why is not known', async () => {
    const origin = await tcp((socket) => socket.once('data', () => socket.end()))
    const { outcomes } = await outcomesAt(origin.replace('http:', 'https:'))
    expect(outcomes).toEqual({ KT_TLS: 6 })
  })
})

describe('a client certificate is demanded', () => {
  const mutual = { requestCert: true, rejectUnauthorized: true, ca: tls.cert }

  it('with TLS 1.3, which tells so after the handshake', async () => {
    const { outcomes, details } = await outcomesAt(`https://127.0.0.1:${await https(mutual)}`, TRUSTING)
    expect(outcomes).toEqual({ KT_CLIENT_CERT: 6 })
    expect(details.KT_CLIENT_CERT).toBe('the target demands a client certificate')
  })

  it('over HTTP/2', async () => {
    const server = createHttpsServer({ ...tls, ...mutual, ALPNProtocols: ['h2'] })
    const { outcomes } = await outcomesAt(`https://127.0.0.1:${await portOf(server)}`, { ...H2, insecure: true })
    expect(outcomes).toEqual({ KT_CLIENT_CERT: 6 })
  })

  it('with TLS 1.2, which does not tell it from other refusals', async () => {
    const port = await https({ ...mutual, maxVersion: 'TLSv1.2' })
    const { outcomes, details } = await outcomesAt(`https://127.0.0.1:${port}`, TRUSTING)
    expect(outcomes).toEqual({ KT_TLS: 6 })
    expect(details.KT_TLS).toContain('or a client certificate is demanded')
  })

  it('by nginx, which refuses with a page', async () => {
    const { outcomes } = await outcomesAt(await tcp(answer(badRequest('No required SSL certificate was sent'))))
    expect(outcomes).toEqual({ KT_CLIENT_CERT: 6 })
  })

  it('a certificate that is not trusted is told without advice on Node.js', async () => {
    const { outcomes, details } = await outcomesAt(`https://127.0.0.1:${await https({})}`)
    expect([outcomes, details]).toEqual([{ KT_TLS: 6 }, { KT_TLS: 'its certificate is self-signed, and not trusted' }])
  })
})

describe('no HTTP/2 there', () => {
  it.each([
    ['a server of HTTP/1.1', async () => (await plainHttp()).origin, 'what came is no HTTP/2'],
    ['ALPN without h2', async () => `https://127.0.0.1:${await https({})}`, 'no agreement on h2 by ALPN'],
  ])('%s', async (_name, start, detail) => {
    const { outcomes, details } = await outcomesAt(await start(), { ...H2, insecure: true })
    expect(outcomes).toEqual({ KT_NO_HTTP2: 6 })
    expect(details.KT_NO_HTTP2).toContain(detail)
  })

  it('a server that speaks it, and breaks off later, is a reset', async () => {
    const server = createHttp2Server()
    let streams = 0
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      if (streams++ === 3) stream.session?.socket.destroy()
      else stream.respond({ ':status': 200, 'content-type': 'application/json' })
      stream.end(OK_BODY)
    })
    const { outcomes } = await outcomesAt(`http://127.0.0.1:${await portOf(server)}`, H2)
    expect(Object.keys(outcomes).toSorted()).toEqual(['KT_RESET', 'OK'])
  })
})

describe('a connection that the target closes', () => {
  const ANSWER = `HTTP/1.1 200 OK\r\ncontent-length: ${OK_BODY.length}\r\n\r\n${OK_BODY}`
  /** Answers the first request of each connection, and ends it at the second. */
  const oneEach = (end: (socket: Socket) => void) => (socket: Socket) => {
    let requests = 0
    socket.on('data', () => (requests++ === 0 ? socket.write(ANSWER) : end(socket)))
  }
  const closed = async (origin: string, thinkMs: number): Promise<Partial<Record<Outcome, number>>> => {
    const load = { mode: 'closed', concurrency: 1, thinkUs: thinkMs * 1_000 } as const
    return (await run(planFor(origin, { requests: 8, load }))).arm.outcomes
  }

  it.each<[string, (socket: Socket) => void]>([
    ['a FIN', (socket) => socket.end()],
    ['a reset', (socket) => socket.resetAndDestroy()],
  ])('by %s when a request comes after a pause: it was idle', async (_name, end) => {
    expect(await closed(await tcp(oneEach(end)), 150)).toEqual({ OK: 4, KT_IDLE_CLOSE: 4 })
  })

  it('without a pause: a reset under load', async () => {
    const origin = await tcp(oneEach((socket) => socket.resetAndDestroy()))
    expect(await closed(origin, 0)).toEqual({ OK: 4, KT_RESET: 4 })
  })

  it('after a pause, but when an answer could have come: a reset', async () => {
    const origin = await tcp(oneEach((socket) => setTimeout(() => socket.resetAndDestroy(), 100)))
    expect(await closed(origin, 150)).toEqual({ OK: 4, KT_RESET: 4 })
  })

  it('after a pause, but in the middle of an answer: a reset', async () => {
    const origin = await tcp(oneEach((socket) => socket.end(ANSWER.slice(0, 20))))
    expect(await closed(origin, 150)).toEqual({ OK: 4, KT_RESET: 4 })
  })

  it('by a timeout that is shorter than the pauses: another one is opened, and nothing is lost', async () => {
    const origin = await tcp((socket) =>
      socket.on('data', () => {
        socket.write(ANSWER)
        socket.setTimeout(30, () => socket.end())
      }),
    )
    expect(await closed(origin, 150)).toEqual({ OK: 8 })
  })
})

it('a connection that is reset just before a request is written on it is replaced, and nothing is lost', async () => {
  const sockets: Socket[] = []
  const text = `HTTP/1.1 200 OK\r\ncontent-length: ${OK_BODY.length}\r\n\r\n${OK_BODY}`
  const origin = await tcp((socket) => {
    sockets.push(socket)
    socket.on('data', () => socket.write(text))
  })
  const pool = new SlotPool(origin, { path: '/', headers: [] }, now, new Inbox(now))
  const outcomes: string[] = []
  let ended = (): void => {}
  const slot = pool.createSlot({
    token: () => {},
    ended: ({ outcome, reused }) => {
      outcomes.push(`${outcome}, ${reused ? 'reused' : 'opened'}`)
      ended()
    },
  })
  for (let i = 0; i < 4; i++) {
    const done = new Promise<void>((resolve) => {
      ended = resolve
    })
    slot.start('{}', false, now())
    await done
    await sleep(20)
    sockets.at(-1)?.resetAndDestroy()
  }
  await pool.close()
  expect(outcomes).toEqual(Array(4).fill('OK, opened'))
})

it.each([
  [307, 'https://other.test/v1/chat/completions'],
  [302, '/login'],
])('a redirect is shown with where it leads: %i', async (status, location) => {
  const origin = await tcp(answer(`HTTP/1.1 ${status} Go\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`))
  const { details } = await outcomesAt(origin)
  expect(details).toEqual({ KT_HTTP_3XX: `HTTP ${status} to ${location}` })
})

it.each<[string, string, Outcome]>([
  ['headers of 20 KB', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 'KT_OTHER'],
  ['a change of protocol', 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n', 'KT_PROTOCOL'],
])('%s', async (_name, text, outcome) => {
  const { outcomes } = await outcomesAt(await tcp(answer(text)))
  expect(outcomes).toEqual({ [outcome]: 6 })
})

it('a server that retires its HTTP/2 connections loses no request', async () => {
  const server = createHttp2Server()
  server.on('session', (session) => {
    let streams = 0
    session.on('stream', () => {
      if (++streams !== 10) return
      session.goaway(0, session.state.lastProcStreamID)
      session.close()
    })
  })
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    setTimeout(() => {
      if (stream.destroyed) return
      stream.respond({ ':status': 200, 'content-type': 'application/json' })
      stream.end(OK_BODY)
    }, 5)
  })
  const origin = `http://127.0.0.1:${await portOf(server)}`
  // So many at once that a request may be turned away by several connections, one after another.
  const load = { mode: 'closed', concurrency: 32 } as const
  const { arm, engine } = await run(planFor(origin, { requests: 400, load, connection: H2 }))
  expect(arm.outcomes).toEqual({ OK: 400 })
  expect(engine.opened[0]).toBeGreaterThan(10)
})

it('a refusal that comes, and is reset, before a large body is read keeps its reason', async () => {
  const body = '{"error":{"message":"limit 1 MB"}}'
  const origin = await tcp((socket) =>
    socket.once('data', () => {
      socket.write(`HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
      socket.pause()
      setTimeout(() => socket.resetAndDestroy(), 30)
    }),
  )
  const workload = promptWorkload({ endpoint: 'chat', model: 'm', prompt: 'x'.repeat(12e6), stream: false, seed: 1 })
  const { arm } = await run(planFor(origin, { workload }))
  expect(arm.details).toEqual({ KT_HTTP_4XX: 'HTTP 413: limit 1 MB' })
})
