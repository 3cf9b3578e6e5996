/**
 * One upstream connection of the pool: an undici Client, which state it is in, and why and when it ends. It lives at most
 * maxLifetimeMs; how long it may be idle is the Client's own matter.
 */
import type { Client } from 'undici'

/** Why a connection was closed. `upstream`: by the other side; `error`: its request failed; `aborted`: its client left. */
export type RecycleReason = 'lifetime' | 'idle' | 'excess' | 'upstream' | 'error' | 'aborted' | 'single_use'

export interface Connection {
  readonly client: Client
  /** Gives the connection back after a complete answer. `closes`: the upstream said it will close it. */
  release(closes: boolean): void
  /** Closes it at once, whatever it does. */
  discard(reason: 'error' | 'aborted'): void
}

/** What the pool wants to hear of. */
export interface Owner {
  connected(): void
  released(connection: PooledConnection, closes: boolean): void
  closing(connection: PooledConnection, reason: RecycleReason): void
  /** The socket was lost before its request was written, and undici opens another in its place. */
  replaced(reason: RecycleReason): void
  closed(connection: PooledConnection): void
}

export class PooledConnection implements Connection {
  readonly origin: string
  readonly client: Client
  state: 'busy' | 'idle' | 'closing' = 'busy'
  expired = false
  readonly #owner: Owner
  readonly #maxLifetimeMs: number
  #lifetime: NodeJS.Timeout | undefined

  constructor(origin: string, client: Client, maxLifetimeMs: number, owner: Owner) {
    this.origin = origin
    this.client = client
    this.#maxLifetimeMs = maxLifetimeMs
    this.#owner = owner
    client.on('connect', () => this.#onConnect())
    client.on('disconnect', (_origin, _targets, error) => this.#onDisconnect(error))
  }

  release(closes: boolean): void {
    if (this.state === 'busy') this.#owner.released(this, closes)
  }

  discard(reason: 'error' | 'aborted'): void {
    if (this.state !== 'closing') this.#close(reason, this.client.destroy())
  }

  /** Closes it once its answer, if one is under way, is complete. */
  close(reason: RecycleReason): void {
    if (this.state !== 'closing') this.#close(reason, this.client.close())
  }

  async end(): Promise<void> {
    clearTimeout(this.#lifetime)
    await this.client.destroy()
  }

  #close(reason: RecycleReason, ended: Promise<void>): void {
    clearTimeout(this.#lifetime)
    this.#owner.closing(this, reason)
    ended.then(
      () => this.#owner.closed(this),
      () => this.#owner.closed(this),
    )
  }

  #onConnect(): void {
    this.#owner.connected()
    this.expired = false
    this.#lifetime = setTimeout(() => {
      this.expired = true
      if (this.state === 'idle') this.close('lifetime')
    }, this.#maxLifetimeMs)
    this.#lifetime.unref()
  }

  /**
   * The socket is gone. An idle connection goes with it. A busy one whose request was not yet written is connected anew by
   * undici, and one whose request was written hears of it as that request's error.
   */
  #onDisconnect(error: Error): void {
    clearTimeout(this.#lifetime)
    const reason = error.message === 'socket idle timeout' ? 'idle' : 'upstream'
    if (this.state === 'idle') this.#close(reason, this.client.destroy())
    else if (this.state === 'busy' && this.client.stats.pending > 0) this.#owner.replaced(reason)
  }
}
