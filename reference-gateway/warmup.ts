/**
 * Opens connections to every provider before the first request needs one: as many probes at the same time as connections
 * are wanted. Whatever a provider answers shows that the connection works, except a 5xx. What fails is tried again.
 */
import type { Dispatcher } from 'undici'
import type { GatewayConfig, Provider } from './config.ts'
import { requestHeaders } from './headers.ts'
import { upstreamError } from './openai-error.ts'
import type { ConnectionPool } from './pool.ts'

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 5_000

export class WarmUp {
  readonly #config: GatewayConfig
  readonly #pool: ConnectionPool
  readonly #report: (problem: string) => void
  #cold: Set<Provider>
  #problem: string | undefined
  #retry: NodeJS.Timeout | undefined
  #stopped = false

  constructor(config: GatewayConfig, pool: ConnectionPool, report: (problem: string) => void) {
    this.#config = config
    this.#pool = pool
    this.#report = report
    this.#cold = new Set(config.warmup.connections > 0 ? config.providers : [])
  }

  /** Undefined once every provider is warm, else what is missing. */
  get missing(): string | undefined {
    if (this.#cold.size === 0) return undefined
    return this.#problem ?? 'warming up'
  }

  /** Resolves after the first attempt, whatever came of it. */
  async start(retryMs = FIRST_RETRY_MS): Promise<void> {
    const problems = await Promise.all([...this.#cold].map((provider) => this.#warm(provider)))
    if (this.#stopped || this.#cold.size === 0) return
    const problem = problems.filter((one) => one !== undefined).join('; ')
    if (problem !== this.#problem) this.#report(`${problem}; trying again`)
    this.#problem = problem
    this.#retry = setTimeout(() => void this.start(Math.min(2 * retryMs, LAST_RETRY_MS)), retryMs)
    this.#retry.unref()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retry)
  }

  async #warm(provider: Provider): Promise<string | undefined> {
    const probes = Array.from({ length: this.#config.warmup.connections }, () => this.#probe(provider))
    const problem = (await Promise.all(probes)).find((one) => one !== undefined)
    if (problem === undefined) this.#cold.delete(provider)
    return problem && `${problem} (${provider.origin}${provider.basePath})`
  }

  #probe(provider: Provider): Promise<string | undefined> {
    const path = providerPath(provider, this.#config.warmup.probeEndpoint)
    return new Promise((resolve) => {
      this.#pool.acquire(provider.origin, (connection) => {
        let status = 0
        const handler: Dispatcher.DispatchHandler = {
          onRequestStart: () => {},
          onResponseStart: (_controller, code) => {
            status = code
          },
          onResponseData: () => {},
          onResponseEnd: () => {
            connection.release(false)
            resolve(status < 500 ? undefined : `provider '${provider.name}' answered ${status} to ${path}`)
          },
          onResponseError: (_controller, error) => {
            connection.discard('error')
            resolve(upstreamError(provider.name, error).message)
          },
        }
        connection.client.dispatch({ method: 'GET', path, headers: requestHeaders([], provider.apiKey) }, handler)
      })
    })
  }
}

/** Where a path that clients write as '/v1/…' lies at the provider. */
function providerPath(provider: Provider, path: string): string {
  return path.startsWith('/v1/') ? provider.basePath + path.slice('/v1'.length) : path
}
