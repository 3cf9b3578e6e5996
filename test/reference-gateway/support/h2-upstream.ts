/** A provider over HTTP/2 under the test's control: h2c, or TLS with ALPN, and a view of its sessions. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atEnd } from './harness.ts'

export interface H2Upstream {
  url: string
  server: Http2Server | Http2SecureServer
  sessions: Set<Http2Session>
  /** Sessions since the start. */
  opened: number
  streams: number
  /** The most streams on one session. */
  mostStreams: number
}

export type H2Handler = (stream: ServerHttp2Stream, body: string, headers: Record<string, unknown>) => void

export interface H2Options {
  settings?: Settings
  tls?: { key: string; cert: string }
}

export async function h2Upstream(handler: H2Handler, options: H2Options = {}): Promise<H2Upstream> {
  const { settings, tls } = options
  const common = settings ? { settings } : {}
  const server = tls ? createSecureServer({ ...common, ...tls, allowHTTP1: false }) : createServer(common)
  const upstream: H2Upstream = { url: '', server, sessions: new Set(), opened: 0, streams: 0, mostStreams: 0 }
  const open = new Map<Http2Session, number>()
  server.on('session', (session) => {
    upstream.opened++
    upstream.sessions.add(session)
    session.on('close', () => upstream.sessions.delete(session)).on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    const { session } = stream
    upstream.streams++
    if (session) {
      const now = (open.get(session) ?? 0) + 1
      open.set(session, now)
      upstream.mostStreams = Math.max(upstream.mostStreams, now)
      stream.on('close', () => open.set(session, (open.get(session) ?? 1) - 1))
    }
    stream.on('error', () => {})
    let body = ''
    stream.setEncoding('utf8').on('data', (part: string) => {
      body += part
    })
    stream.on('end', () => {
      if (!stream.destroyed) handler(stream, body, headers)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  upstream.url = `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}/v1`
  atEnd(async () => {
    for (const session of upstream.sessions) session.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return upstream
}

export function respond(stream: ServerHttp2Stream, value: unknown, status = 200): void {
  if (stream.destroyed || stream.closed) return
  stream.respond({ ':status': status, 'content-type': 'application/json' })
  stream.end(JSON.stringify(value))
}

/** A certificate for localhost that nobody trusts, or undefined where openssl is missing. */
export function certificate(): { key: string; cert: string; certFile: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kt-cert-'))
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(' ')
  const san = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  try {
    execFileSync('openssl', ['req', ...options, ...san, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), certFile }
}
