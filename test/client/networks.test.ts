// Networks as they are: client certificates, proxies, unix sockets, addresses of the user's own, IPv6; real servers
// each.
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { ONE_AT_A_TIME } from '../../src/client/connection.ts'
import type { Route } from '../../src/client/route.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { selfSigned } from '../../src/provider/certificate.ts'
import { OK_BODY, planFor, run as runEngine } from '../support/engine.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)
const open: { close(): void }[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

const answer: RequestListener = (request, response) => {
  response.setHeader('content-type', 'application/json')
  request.resume().on('end', () => response.end(OK_BODY))
}

/** Its port, or its path. */
async function listening(
  server: Server,
  at: string | [port: number, host: string] = [0, '127.0.0.1'],
): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => {
    if (typeof at === 'string') server.listen(at, resolve)
    else server.listen(...at, resolve)
  })
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  const address = server.address() as AddressInfo | string
  return typeof address === 'string' ? 0 : address.port
}

async function run(origin: string, connection: Partial<NonNullable<RunPlan['connection']>>) {
  const plan = planFor(origin, { requests: 4, connection: { ...ONE_AT_A_TIME, ...connection } })
  const { outcomes, details } = (await runEngine(plan)).arm
  return { outcomes, detail: Object.values(details)[0] ?? '' }
}

const OK = { outcomes: { OK: 4 }, detail: '' }
const ours = selfSigned('gateway.test')
const client = selfSigned('client.test')
const stranger = selfSigned('stranger.test')

describe('client certificates', () => {
  const demanding = () =>
    createHttpsServer({ ...ours, requestCert: true, rejectUnauthorized: true, ca: client.cert }, answer)

  it.each(['h1', 'h2'] as const)('%s: the right one is let in', async (http) => {
    const server =
      http === 'h1'
        ? demanding()
        : await import('node:http2').then(({ createSecureServer }) =>
            createSecureServer(
              { ...ours, requestCert: true, rejectUnauthorized: true, ca: client.cert },
              answer as never,
            ),
          )
    const port = await listening(server as Server)
    const streams = http === 'h2' ? 10 : 1
    expect(await run(`https://localhost:${port}`, { http, streams, ca: ours.cert, ...client })).toEqual(OK)
  })

  it('none, or that of a stranger, is refused with the reason', async () => {
    const origin = `https://localhost:${await listening(demanding())}`
    expect((await run(origin, { ca: ours.cert })).outcomes).toEqual({ KT_CLIENT_CERT: 4 })
    const { outcomes } = await run(origin, { ca: ours.cert, ...stranger })
    expect(Object.keys(outcomes).every((outcome) => /^KT_(TLS|RESET|CLIENT_CERT)$/.test(outcome))).toBe(true)
  })
})

interface SeenProxy {
  proxy: { host: string; port: number; authorization?: string }
  /** First lines, and what was said of the user. */
  asked: [line: string, authorization: string | undefined][]
}

/** Forwards what is asked in absolute form, and opens tunnels; or answers each with `refusal`. */
async function forwardProxy(refusal?: number): Promise<SeenProxy> {
  const asked: SeenProxy['asked'] = []
  const note = ({ method, url, headers }: IncomingMessage) =>
    asked.push([`${method} ${url}`, headers['proxy-authorization']])
  const server = createHttpServer((request, response) => {
    note(request)
    if (refusal) request.resume().on('end', () => response.writeHead(refusal).end('not for you'))
    else answer(request, response)
  })
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    note(request)
    if (refusal) return void socket.end(`HTTP/1.1 ${refusal} Not For You\r\n\r\n`)
    const behind = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      behind.pipe(socket).pipe(behind)
    })
    for (const end of [socket, behind]) end.on('error', () => {})
  })
  return { proxy: { host: '127.0.0.1', port: await listening(server) }, asked }
}

const through = (origin: string, proxy: SeenProxy['proxy']): Route[] => [
  { origin, via: { kind: 'proxy', proxy }, from: '--proxy' },
]

describe('proxies', () => {
  const authorization = `Basic ${btoa('me:secret')}`

  it('http: the whole address is asked for, with who asks, on connections that are kept', async () => {
    const { proxy, asked } = await forwardProxy()
    const origin = 'http://gateway.test:8080'
    expect(await run(origin, { routes: through(origin, { ...proxy, authorization }) })).toEqual(OK)
    expect(asked).toEqual(Array.from({ length: 4 }, () => [`POST ${origin}/v1/chat/completions`, authorization]))
  })

  it.each(['h1', 'h2'] as const)(
    'https over %s: a tunnel for each connection, and the target sees no proxy',
    async (http) => {
      const seen: (string | undefined)[] = []
      const answerAndSee: RequestListener = (request, response) => {
        seen.push(request.headers['proxy-authorization'])
        answer(request, response)
      }
      const { createSecureServer } = await import('node:http2')
      const server = createSecureServer({ ...ours, allowHTTP1: true }, answerAndSee as never)
      const port = await listening(server as unknown as Server)
      const { proxy, asked } = await forwardProxy()
      const origin = `https://gateway.test:${port}`
      const routes = through(origin, { ...proxy, authorization })
      const streams = http === 'h2' ? 10 : 1
      expect(await run(origin, { http, streams, ca: ours.cert, routes })).toEqual(OK)
      expect(asked[0]).toEqual([`CONNECT gateway.test:${port}`, authorization])
      expect(seen).toEqual([undefined, undefined, undefined, undefined])
    },
  )

  it('a long answer through a tunnel comes whole', async () => {
    const text = 'word '.repeat(100_000)
    const body = JSON.stringify({ choices: [{ message: { role: 'assistant', content: text } }] })
    const server = createHttpsServer({ ...ours }, (request, response) => {
      request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(body))
    })
    const port = await listening(server)
    const { proxy } = await forwardProxy()
    const origin = `https://gateway.test:${port}`
    expect(await run(origin, { ca: ours.cert, routes: through(origin, proxy) })).toEqual(OK)
  })

  it.each([
    ['https://gateway.test', 407, /the proxy 127\.0\.0\.1:\d+ answered CONNECT with 407 Not For You/],
    ['https://gateway.test', 403, /answered CONNECT with 403 Not For You/],
    ['http://gateway.test', 407, /HTTP 407: not for you/],
  ])('%s: a proxy that answers %i is KT_PROXY with its words', async (origin, status, words) => {
    const { proxy } = await forwardProxy(status)
    const { outcomes, detail } = await run(origin, { routes: through(origin, proxy) })
    expect(outcomes).toEqual({ KT_PROXY: 4 })
    expect(detail).toMatch(words)
  })

  it.each(['http://gateway.test', 'https://gateway.test'])('%s: a proxy that is not there', async (origin) => {
    const { outcomes, detail } = await run(origin, { routes: through(origin, { host: '127.0.0.1', port: 1 }) })
    expect(outcomes).toEqual({ KT_PROXY: 4 })
    expect(detail).toBe('the proxy 127.0.0.1:1 cannot be reached: nothing listens at 127.0.0.1:1')
  })
})

describe('unix sockets', () => {
  const at = (origin: string, path: string): Route[] => [
    { origin, via: { kind: 'unix-socket', path }, from: '--unix-socket' },
  ]

  it('carry HTTP and TLS, and the target sees its own name', async () => {
    const hosts: (string | undefined)[] = []
    const seeing: RequestListener = (request, response) => {
      hosts.push(request.headers.host)
      answer(request, response)
    }
    const [plain, secure] = [`${dir.path}/plain.sock`, `${dir.path}/tls.sock`]
    await listening(createHttpServer(seeing), plain)
    await listening(createHttpsServer({ ...ours }, seeing), secure)
    expect(await run('http://gateway.test', { routes: at('http://gateway.test', plain) })).toEqual(OK)
    const origin = 'https://gateway.test'
    expect(await run(origin, { ca: ours.cert, routes: at(origin, secure) })).toEqual(OK)
    expect(new Set(hosts)).toEqual(new Set(['gateway.test']))
  })

  it('one that nobody listens at is told by its path', async () => {
    const path = `${dir.path}/gone.sock`
    const { outcomes, detail } = await run('http://gateway.test', { routes: at('http://gateway.test', path) })
    expect(outcomes).toEqual({ KT_CONNECT: 4 })
    expect(detail).toContain(path)
  })
})

describe('addresses', () => {
  it.each(['h1', 'h2'] as const)(
    '%s: --resolve leads elsewhere, and the certificate is that of the name',
    async (http) => {
      const { createSecureServer } = await import('node:http2')
      const server = createSecureServer({ ...ours, allowHTTP1: true }, answer as never)
      const port = await listening(server as unknown as Server)
      const origin = `https://gateway.test:${port}`
      const routes: Route[] = [{ origin, via: { kind: 'address', address: '127.0.0.1' }, from: '--resolve' }]
      const streams = http === 'h2' ? 10 : 1
      expect(await run(origin, { http, streams, ca: ours.cert, routes })).toEqual(OK)
      const { outcomes } = await run(origin, { http, streams, ca: stranger.cert, routes })
      expect(outcomes).toEqual({ KT_TLS: 4 })
    },
  )

  it('IPv6 literals, as the target and as its address', async () => {
    const port = await listening(createHttpServer(answer), [0, '::1'])
    expect(await run(`http://[::1]:${port}`, {})).toEqual(OK)
    const origin = `http://gateway.test:${port}`
    const routes: Route[] = [{ origin, via: { kind: 'address', address: '::1' }, from: '--resolve' }]
    expect(await run(origin, { routes })).toEqual(OK)
  })
})
