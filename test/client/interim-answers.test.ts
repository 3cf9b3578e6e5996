// Interim answers (1xx) come before the one that counts, asked for or not, in pieces cut anywhere, over TLS and HTTP/2.
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSigned } from '../../src/provider/certificate.ts'
import { decoded, OK_BODY, planFor, run, type TestServer, tcpServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'
const FINAL = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${OK_BODY.length}\r\n\r\n${OK_BODY}`
const TOKEN = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'

/** Answers every request with `pieces`, some time apart. */
const answering =
  (...pieces: string[]) =>
  (socket: Socket): void => {
    socket.on('error', () => {})
    socket.on('data', async () => {
      for (const piece of pieces) {
        socket.write(piece)
        await sleep(5)
      }
    })
  }

describe('interim answers', () => {
  it.each([
    ['100', [CONTINUE, FINAL]],
    ['103', [HINTS, FINAL]],
    ['100 in one piece with the answer', [CONTINUE + FINAL]],
    ['102, 103, 100, 100', ['HTTP/1.1 102 Processing\r\n\r\n', HINTS + CONTINUE, CONTINUE + FINAL]],
    ['100, cut in its status', ['HTTP/1.1 1', '00 Continue\r\n\r', `\n${FINAL}`]],
  ])('%s', async (_name, pieces) => {
    server = await tcpServer(answering(...pieces))
    const { arm, engine } = await run(planFor(server.origin))
    expect([arm.outcomes, engine.opened]).toEqual([{ OK: 3 }, [1]])
  })

  it('100 before a stream is not its first byte', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'
    server = await tcpServer((socket) =>
      socket.on('data', async () => {
        socket.write(CONTINUE)
        await sleep(60)
        socket.end(`${head}${TOKEN}data: [DONE]\n\n`)
      }),
    )
    const { arm } = await run(planFor(server.origin, {}, true))
    expect(arm.outcomes).toEqual({ OK: 3 })
    expect(decoded(arm.metrics.ttfb).minUs).toBeGreaterThan(50_000)
  })

  it('none but interim ones is no answer', async () => {
    server = await tcpServer((socket) => socket.on('data', () => socket.end(CONTINUE + HINTS)))
    const { arm } = await run(planFor(server.origin))
    expect(arm.outcomes).toEqual({ KT_RESET: 3 })
  })

  it('over TLS', async () => {
    const tls = createTlsServer(selfSigned('127.0.0.1'), answering(CONTINUE, HINTS, FINAL))
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
    const connection = { http: 'h1', keepAlive: true, insecure: true, streams: 1 } as const
    const { arm } = await run(planFor(`https://127.0.0.1:${(tls.address() as AddressInfo).port}`, { connection }))
    tls.close()
    expect(arm.outcomes).toEqual({ OK: 3 })
  })

  it('over HTTP/2', async () => {
    const http2 = createHttp2Server()
    http2.on('stream', async (stream) => {
      stream.additionalHeaders({ ':status': 100 })
      stream.additionalHeaders({ ':status': 103, link: '</x>; rel=preload' })
      await sleep(5)
      stream.respond({ ':status': 200, 'content-type': 'application/json' })
      stream.end(OK_BODY)
    })
    await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve))
    const connection = { http: 'h2', keepAlive: true, insecure: false, streams: 10 } as const
    const { arm } = await run(planFor(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`, { connection }))
    http2.close()
    expect(arm.outcomes).toEqual({ OK: 3 })
  })
})
