/** One provider as the pipeline sees it: where it is, which protocol it speaks, and whether it should be asked now. */

import { readRetryAfterMs } from '../../src/wire/retry-after.ts'
import { bearerOf } from '../http/auth.ts'
import { ACCOUNT_HEADERS, CLIENT_KEY_HEADERS } from '../http/client-key.ts'
import { requestHeaders } from '../http/headers.ts'
import type { HeaderPairs } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { ProviderProtocol, TranslatedRequest } from '../protocols/protocol.ts'
import { getProtocol } from '../protocols/protocols.ts'
import { Circuits } from './circuits.ts'
import type { ProviderConfig, UpstreamConfig } from './types.ts'

/** The longest `retry-after` that is believed. */
const MAX_COOL_DOWN_MS = 300_000
const MAX_COOL_DOWNS = 1_000

interface UpstreamSettings {
  breaker: UpstreamConfig['breaker']
  /** Its own keys name several tenants. */
  severalTenants: boolean
  /** The gateway checks keys of its own: the key that a client sends is not for the provider. */
  ownKeys: boolean
  /** A policy or the cache must read responses, so they must not be compressed. */
  readsAnswers: boolean
  /** How the gateway names itself (RFC 9110, 7.6.3), which shows a loop. */
  via: string
}

export class Upstream {
  readonly provider: ProviderConfig
  readonly protocol: ProviderProtocol
  readonly circuits: Circuits | undefined
  readonly #own: HeaderPairs
  readonly #dropped: ReadonlySet<string> | undefined
  readonly #foreign: boolean
  /** When each cool-down ends, by key and model. */
  readonly #coolDowns = new Map<string, number>()

  constructor(provider: ProviderConfig, settings: UpstreamSettings) {
    this.provider = provider
    this.protocol = getProtocol(provider.protocol)
    this.circuits = settings.breaker && new Circuits(settings.breaker, settings.severalTenants)
    this.#foreign = provider.protocol !== 'openai'
    const own: string[] = provider.apiKey === undefined ? [] : [...this.protocol.credentials(provider.apiKey)]
    const dropped = new Set<string>(own.filter((_, index) => index % 2 === 0))
    if (provider.apiKey !== undefined || settings.ownKeys) for (const name of CLIENT_KEY_HEADERS) dropped.add(name)
    // The organisation is that of the key.
    if (provider.apiKey !== undefined) for (const name of ACCOUNT_HEADERS) dropped.add(name)
    if (settings.readsAnswers || this.#foreign) {
      own.push('accept-encoding', 'identity')
      dropped.add('accept-encoding')
    }
    own.push('via', `1.1 ${settings.via}`)
    this.#own = own
    this.#dropped = dropped.size > 0 ? dropped : undefined
  }

  /** The client's headers as they go to this provider. `extra` replaces the client's headers of the same names. */
  headers(raw: readonly string[], asked: TranslatedRequest, extra: HeaderPairs): string[] {
    if (!this.#foreign && extra.length === 0) return requestHeaders(raw, this.#own, this.#dropped)
    const own = [...this.#own, ...asked.headers, ...extra]
    const dropped = new Set(this.#dropped)
    for (let i = 0; i < own.length; i += 2) dropped.add((own[i] ?? '').toLowerCase())
    if (!this.#foreign) return requestHeaders(raw, own, dropped)
    // A provider of another protocol learns no more about an OpenAI client than it must.
    const kept = requestHeaders(raw, [], dropped)
    const passing: string[] = []
    let authorization: string | undefined
    for (let i = 0; i < kept.length; i += 2) {
      const name = (kept[i] ?? '').toLowerCase()
      if (name === 'authorization') authorization = kept[i + 1]
      else if (!/^(?:openai-|x-stainless-|content-|accept|cookie)/.test(name)) passing.push(name, kept[i + 1] ?? '')
    }
    const bearer = bearerOf(authorization)
    const clientKey = bearer === undefined ? [] : this.protocol.credentials(bearer)
    return [...passing, 'content-type', 'application/json', ...clientKey, ...own]
  }

  /** The provider told requests like this one to come back later, and that time has not come. */
  isCoolingDown(context: RequestContext, nowMs: number): boolean {
    if (this.#coolDowns.size === 0) return false
    const key = this.#coolDownKey(context)
    const untilMs = this.#coolDowns.get(key)
    if (untilMs === undefined) return false
    if (untilMs > nowMs) return true
    this.#coolDowns.delete(key)
    return false
  }

  /** The provider answered 429 or 5xx with this `retry-after`. */
  coolDown(context: RequestContext, retryAfter: string | undefined, nowMs: number): void {
    const ms = readRetryAfterMs(retryAfter)
    if (ms === undefined) return
    if (this.#coolDowns.size >= MAX_COOL_DOWNS) this.#coolDowns.clear()
    this.#coolDowns.set(this.#coolDownKey(context), nowMs + Math.min(ms, MAX_COOL_DOWN_MS))
  }

  /** A provider limits a key and a model. The key is the gateway's own or the client's. */
  #coolDownKey(context: RequestContext): string {
    const model = context.model ?? ''
    return this.provider.apiKey === undefined ? `${context.tenant}\n${model}` : model
  }
}
