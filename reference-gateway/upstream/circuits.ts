/**
 * The circuits of one provider. What shows the provider's own state (no connection, no answer in time, 502 and above)
 * counts for everybody. A 500 or 501 may be the request's doing: where there are several tenants it counts for the one
 * that asked, so that no tenant can open the circuit of the others with prompts that make the provider fail.
 */
import { Breaker, type BreakerConfig, type BreakerState } from './breaker.ts'

/** Asked only where circuits are told apart by tenant. */
interface Asker {
  readonly tenant: string
}

const LAST_OF_REQUEST = 501

export class Circuits {
  readonly #config: BreakerConfig
  readonly #shared: Breaker
  /** Of those tenants that got such answers; undefined where there is one tenant. */
  readonly #byTenant: Map<string, Breaker> | undefined

  constructor(config: BreakerConfig, severalTenants: boolean) {
    this.#config = config
    this.#shared = new Breaker(config)
    this.#byTenant = severalTenants ? new Map() : undefined
  }

  get opened(): number {
    return this.#shared.opened
  }

  state(nowMs: number): BreakerState {
    return this.#shared.state(nowMs)
  }

  /** An admitted request must end in one of the calls below. */
  admits(asker: Asker, nowMs: number): boolean {
    const own = this.#ownOf(asker)
    if (own?.admits(nowMs) === false) return false
    if (this.#shared.admits(nowMs)) return true
    own?.cancelled()
    return false
  }

  /** How long until a request of the asker may be sent again. */
  waitMs(asker: Asker, nowMs: number): number {
    return Math.max(this.#shared.waitMs(nowMs), this.#ownOf(asker)?.waitMs(nowMs) ?? 0)
  }

  /** The provider answered. */
  answered(asker: Asker, status: number, nowMs: number): void {
    if (status < 500) {
      this.#shared.succeeded()
      this.#ownOf(asker)?.succeeded()
    } else if (status > LAST_OF_REQUEST || !this.#byTenant) this.failed(asker, nowMs)
    else {
      this.#shared.cancelled()
      const own = this.#byTenant.get(asker.tenant) ?? new Breaker(this.#config)
      this.#byTenant.set(asker.tenant, own)
      own.failed(nowMs)
    }
  }

  /** The provider did not answer. */
  failed(asker: Asker, nowMs: number): void {
    this.#shared.failed(nowMs)
    this.#ownOf(asker)?.cancelled()
  }

  /** The request ended without showing anything about the provider. */
  cancelled(asker: Asker): void {
    this.#shared.cancelled()
    this.#ownOf(asker)?.cancelled()
  }

  #ownOf(asker: Asker): Breaker | undefined {
    return this.#byTenant && this.#byTenant.size > 0 ? this.#byTenant.get(asker.tenant) : undefined
  }
}
