// The targets of the instrument's benchmarks, each in a process of its own that ends with its parent:
//   provider TTFT_MS GAP_MS [STALL_MS/EVERY_MS [http|https|h2]]   the simulated provider, stamping
//   node-http                                      small JSON from node:http, which is itself as busy as its client
//   fixed                                          the same bytes from a raw socket: next to nothing a request
//   coalesced, padded, messages, responses, gemini 200 events a body, from a raw socket
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { selfSigned } from '../../../dist/src/provider/certificate.js'
import { startProvider } from '../../../dist/src/provider/server.js'
import { lowerHelperThreads } from '../../../dist/src/system/helper-threads.js'
import { coalescedBody } from './events.js'
import { SMALL_ANSWER } from './small-answer.js'

const [kind, ...options] = process.argv.slice(2)
const listening = (server) => server.listen(0, '127.0.0.1', () => process.send(server.address().port))
lowerHelperThreads()
process.on('disconnect', () => process.exit())

if (kind === 'provider') {
  const [ttft, tokenGap] = options.map((ms) => ({ kind: 'fixed', us: Number(ms) * 1_000 }))
  const [forMs, everyMs] = (options[2] ?? '').split('/').map(Number)
  const stall = everyMs > 0 ? { forUs: forMs * 1_000, everyUs: everyMs * 1_000 } : undefined
  const latency = { ttft, tokenGap, seed: 1 }
  const secure = ['https', 'h2'].includes(options[3]) && { tls: selfSigned('127.0.0.1') }
  const http2 = options[3] === 'h2' && { http2: { maxConcurrentStreams: 100 } }
  const listens = { host: '127.0.0.1', port: 0, ...secure, ...http2 }
  process.send((await startProvider({ ...listens, tokens: 1, latency, stall })).port)
} else if (kind === 'node-http') {
  const headers = { 'content-type': 'application/json', 'content-length': SMALL_ANSWER.length }
  const server = createHttpServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200, headers).end(SMALL_ANSWER))
  })
  server.keepAliveTimeout = 60_000
  listening(server)
} else {
  const body = kind === 'fixed' ? Buffer.from(SMALL_ANSWER) : coalescedBody(kind)
  const type = kind === 'fixed' ? 'application/json' : 'text/event-stream'
  const whole = Buffer.concat([
    Buffer.from(
      `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\ndate: Sat, 28 Nov 2026 ` +
        '12:00:00 GMT\r\nconnection: keep-alive\r\n\r\n',
    ),
    body,
  ])
  listening(
    createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {})
      // A request is small, one piece, and ends with its body's brace.
      socket.on('data', (piece) => {
        if (piece.at(-1) === 0x7d) socket.write(whole)
      })
    }),
  )
}
