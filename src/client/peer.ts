/**
 * Who listens at the target, as far as failures tell: a target that closes every connection without a word may be one
 * that speaks TLS, and only asking it can tell. It is asked once, on a connection of its own, and only where it has
 * never answered.
 */
import { connect } from 'node:tls'
import type { Route } from './route.ts'

const ASK_WITHIN_MS = 1_000

export class Peer {
  /** It has answered a request. */
  answered = false
  /** What it sent over HTTP/2 was something else. */
  notHttp2 = false
  readonly #url: URL
  readonly #via: Route['via'] | undefined
  #speaksTls: Promise<boolean> | undefined

  constructor(origin: string, via?: Route['via']) {
    this.#url = new URL(origin)
    this.#via = via
  }

  get overTls(): boolean {
    return this.#url.protocol === 'https:'
  }

  /** Whether a TLS handshake is answered by TLS, be it by a refusal. */
  speaksTls(): Promise<boolean> {
    this.#speaksTls ??= this.#ask()
    return this.#speaksTls
  }

  #ask(): Promise<boolean> {
    const { hostname, port } = this.#url
    const via = this.#via
    // What a proxy closes says nothing of the target.
    if (via?.kind === 'proxy') return Promise.resolve(false)
    const host = via?.kind === 'address' ? via.address : hostname.replace(/^\[|\]$/g, '')
    const at = via?.kind === 'unix-socket' ? { path: via.path } : { host, port: Number(port) || 80 }
    return new Promise((resolve) => {
      const socket = connect({ ...at, rejectUnauthorized: false })
      const end = (speaks: boolean): void => {
        socket.destroy()
        resolve(speaks)
      }
      socket.setTimeout(ASK_WITHIN_MS, () => end(false))
      socket.once('secureConnect', () => end(true))
      socket.on('error', (error) => end('code' in error && String(error.code).includes('_ALERT_')))
    })
  }
}
