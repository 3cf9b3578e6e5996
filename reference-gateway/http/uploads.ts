/**
 * The bodies that are still coming in. A client that sends slowly holds no slot of those whose requests are answered,
 * and may not hold up others that send: where too many bodies come in at the same time, that one gives way which has
 * been coming for longest, of the tenant that sends most.
 */
import { type GatewayError, invalidRequest, OVERLOADED } from './gateway-error.ts'

export interface UploadLimits {
  /** Bodies that may be coming in at the same time. */
  most: number
  /** How long a client may send nothing. */
  idleMs: number
  /** How long a body may take. */
  totalMs: number
}

const TOO_SLOW = invalidRequest('request_timeout', 'the request was not complete in time', 408)

export class Uploads {
  /** By tenant, the oldest first. */
  readonly #coming = new Map<string, Set<Upload>>()
  #count = 0

  /** `stopped` is called where the body is not waited for any longer. */
  begin(tenant: string, limits: UploadLimits, stopped: (error: GatewayError) => void): Upload {
    if (this.#count >= limits.most) this.#oldestOfMost()?.stop(OVERLOADED)
    const all = this.#coming.get(tenant) ?? new Set()
    const upload = new Upload(limits, stopped, () => {
      if (!all.delete(upload)) return
      this.#count--
      if (all.size === 0) this.#coming.delete(tenant)
    })
    this.#coming.set(tenant, all.add(upload))
    this.#count++
    return upload
  }

  #oldestOfMost(): Upload | undefined {
    let most = new Set<Upload>()
    for (const all of this.#coming.values()) if (all.size > most.size) most = all
    const [oldest] = most
    return oldest
  }
}

export class Upload {
  readonly #stopped: (error: GatewayError) => void
  readonly #over: () => void
  readonly #untilMs: number
  readonly #idle: NodeJS.Timeout

  constructor({ idleMs, totalMs }: UploadLimits, stopped: (error: GatewayError) => void, over: () => void) {
    this.#stopped = stopped
    this.#over = over
    this.#untilMs = performance.now() + totalMs
    this.#idle = setTimeout(() => this.stop(TOO_SLOW), Math.min(idleMs, totalMs))
  }

  /** A piece has come. */
  progress(): void {
    if (performance.now() > this.#untilMs) this.stop(TOO_SLOW)
    else this.#idle.refresh()
  }

  /** It has come to its end, or its client has left. */
  end(): void {
    clearTimeout(this.#idle)
    this.#over()
  }

  stop(error: GatewayError): void {
    this.end()
    this.#stopped(error)
  }
}
