/**
 * Opens connections to every provider before a request needs one: at the start, and again when connections were closed
 * that had been in use. Each connection is opened by a probe, whose answer must show that the provider is there: a 2xx,
 * or one that wants a key or fewer requests. A 404 shows that something else is. A probe that fails is repeated.
 */
import type { GatewayConfig } from './config/config.ts'
import { upstreamError } from './http/gateway-error.ts'
import type { RecycleReason } from './upstream/connection.ts'
import type { ConnectionPool } from './upstream/pool.ts'
import type { ConnectionLease, UpstreamHandler, UpstreamRequest } from './upstream/types.ts'
import type { Upstream } from './upstream/upstream.ts'

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 5_000
/** Closed connections are replaced together, and after the request whose end closed them. */
const REWARM_AFTER_MS = 20
/** Connections that are not replaced: nobody used them, or they were never meant to stay. */
const NOT_REPLACED: ReadonlySet<RecycleReason> = new Set(['idle', 'excess', 'single_use'])
/** Probes are no tenant's. */
const NOBODY = { tenant: '' }
/** What a provider answers that serves, but not this probe: the probe has no key where clients bring their own. */
const SERVES = new Set([401, 403, 429])
const NOTHING_ASKED = { path: '', body: Buffer.alloc(0), headers: [], translation: undefined }

export class WarmUp {
  readonly #config: GatewayConfig
  readonly #pool: ConnectionPool
  readonly #upstreams: readonly Upstream[]
  readonly #report: (problem: string) => void
  readonly #rewarming = new Set<Upstream>()
  #cold: Set<Upstream>
  #problem: string | undefined
  #retry: NodeJS.Timeout | undefined
  #stopped = false

  constructor(
    config: GatewayConfig,
    pool: ConnectionPool,
    upstreams: readonly Upstream[],
    report: (problem: string) => void,
  ) {
    this.#config = config
    this.#pool = pool
    this.#upstreams = upstreams
    this.#report = report
    this.#cold = new Set(config.warmup.connections > 0 ? upstreams : [])
    if (config.warmup.connections > 0) pool.onClosed = (origin, reason) => this.#onClosed(origin, reason)
  }

  /** Undefined once every provider is warm, else what is missing. */
  get missing(): string | undefined {
    if (this.#cold.size === 0) return undefined
    return this.#problem ?? 'warming up'
  }

  /** Resolves after the first attempt, whether it succeeded or not. */
  async start(retryMs = FIRST_RETRY_MS): Promise<void> {
    const problems = await Promise.all([...this.#cold].map((upstream) => this.#warm(upstream)))
    if (this.#stopped || this.#cold.size === 0) return
    const problem = problems.filter((one) => one !== undefined).join('; ')
    if (problem !== this.#problem) this.#report(`${problem}; trying again`)
    this.#problem = problem
    this.#retry = setTimeout(() => void this.start(Math.min(2 * retryMs, LAST_RETRY_MS)), retryMs)
    this.#retry.unref()
  }

  stop(): void {
    this.#stopped = true
    this.#pool.onClosed = undefined
    clearTimeout(this.#retry)
  }

  async #warm(upstream: Upstream): Promise<string | undefined> {
    const problem = await this.#open(upstream)
    if (problem === undefined) this.#cold.delete(upstream)
    const { origin, basePath } = upstream.provider
    return problem && `${problem} (${origin}${basePath})`
  }

  /**
   * Opens the missing connections. Where none is missing, a provider that is not warm is asked over one that is open:
   * it was there before, and did not serve. Returns what went wrong, if anything.
   */
  async #open(upstream: Upstream): Promise<string | undefined> {
    const { origin } = upstream.provider
    const missing = Math.max(0, this.#config.warmup.connections - this.#pool.openTo(origin))
    const probes = Array.from({ length: missing }, () =>
      this.#probe(upstream, (...answers) => this.#pool.acquireNew(origin, NOBODY, ...answers)),
    )
    if (missing === 0 && this.#cold.has(upstream)) {
      const overAny: Acquire = (...answers) => this.#pool.acquire(origin, NOBODY, ...answers) !== undefined
      probes.push(this.#probe(upstream, overAny))
    }
    return (await Promise.all(probes)).find((one) => one !== undefined)
  }

  #onClosed(origin: string, reason: RecycleReason): void {
    if (NOT_REPLACED.has(reason)) return
    for (const upstream of this.#upstreams) {
      if (upstream.provider.origin !== origin || this.#rewarming.has(upstream) || this.#cold.has(upstream)) continue
      this.#rewarming.add(upstream)
      setTimeout(() => void this.#rewarm(upstream), REWARM_AFTER_MS).unref()
    }
  }

  /**
   * Tries once. If the provider fails, the next request, or the end of the next connection, opens a connection anyway.
   */
  async #rewarm(upstream: Upstream): Promise<void> {
    if (!this.#stopped) await this.#open(upstream)
    this.#rewarming.delete(upstream)
  }

  #probe(upstream: Upstream, acquire: Acquire): Promise<string | undefined> {
    const { name, basePath } = upstream.provider
    const path = providerPath(basePath, this.#config.warmup.probeEndpoint)
    return new Promise((resolve) => {
      const probe = new Probe((outcome) => {
        if (typeof outcome !== 'number') resolve(upstreamError(name, outcome).message)
        else if ((outcome >= 200 && outcome < 300) || SERVES.has(outcome)) resolve(undefined)
        else resolve(`provider '${name}' answered ${outcome} to ${path}${pathAdvice(outcome, basePath)}`)
      })
      const request = { method: 'GET', path, headers: upstream.headers([], NOTHING_ASKED, []), body: null }
      const isAsked = acquire(
        (connection) => probe.send(connection, request),
        (error) => probe.failed(error),
      )
      if (!isAsked) resolve(undefined)
    })
  }
}

/** False: there is no connection to be had. */
type Acquire = (grant: (connection: ConnectionLease) => void, failed: (error: Error) => void) => boolean

/** A request of the gateway itself that only asks whether a connection works. */
class Probe implements UpstreamHandler {
  readonly #done: (outcome: number | Error) => void
  #connection: ConnectionLease | undefined
  #status = 0

  /** `done` receives the response's status, or why there is no response. */
  constructor(done: (outcome: number | Error) => void) {
    this.#done = done
  }

  send(connection: ConnectionLease, request: UpstreamRequest): void {
    this.#connection = connection
    connection.dispatch(request, this)
  }

  failed(error: Error): void {
    this.#done(error)
  }

  onRequestStart(): void {}

  onResponseStart(status: number): void {
    this.#status = status
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#connection?.release(false)
    this.#done(this.#status)
  }

  onResponseError(error: Error): void {
    this.#connection?.failed()
    this.#done(error)
  }
}

/** The provider's path for a path that clients write as '/v1/…'. */
function providerPath(basePath: string, path: string): string {
  return path.startsWith('/v1/') ? basePath + path.slice('/v1'.length) : path
}

/** Providers serve their API below a version, which a base URL without a path leaves out. */
function pathAdvice(status: number, basePath: string): string {
  return status === 404 && basePath === '' ? '; a base URL mostly ends with /v1' : ''
}
