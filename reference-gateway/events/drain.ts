/**
 * Brings events from a ring to a sink, in small batches outside of the request's path. One batch is delivered in a turn
 * of the event loop, so that a backlog never delays requests, and one at a time, so that a slow sink only falls behind.
 */
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'
import type { EventRing, RingReader } from './ring.ts'

/**
 * Delivers a batch; its first event says how many were lost before it. Where it throws, the batch is lost and counted.
 */
export type Deliver = (events: readonly GatewayEvent[]) => void | Promise<void>

/** The events of a few milliseconds at a thousand requests a second; about 0.1 ms of work. */
const BATCH = 32
const WAIT_MS = 20

export class Drain {
  failed = 0
  readonly #reader: RingReader
  readonly #deliver: Deliver
  readonly #batch: number
  #lostBefore = 0
  #running = false
  #onIdle: (() => void) | undefined

  constructor(ring: EventRing, deliver: Deliver, batch = BATCH) {
    this.#deliver = deliver
    this.#batch = batch
    this.#reader = ring.reader(() => this.#start(WAIT_MS))
  }

  /** Events that were overwritten before they were read, or were in a batch that failed. */
  get dropped(): number {
    return this.#reader.dropped + this.failed
  }

  /** Delivers the remaining events, waiting no longer than `limitMs`; then ends. */
  async close(limitMs: number): Promise<void> {
    if (this.#reader.behind > 0 || this.#running) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, limitMs)
        this.#onIdle = () => {
          clearTimeout(limit)
          resolve()
        }
        this.#start(0)
      })
    }
    this.#reader.close()
  }

  #start(waitMs: number): void {
    if (this.#running) return
    this.#running = true
    const run = (): void => void this.#run()
    if (waitMs > 0) setTimeout(run, waitMs).unref()
    else setImmediate(run)
  }

  async #run(): Promise<void> {
    const { events, dropped } = this.#reader.read(this.#batch)
    this.#lostBefore += dropped
    const [first, ...others] = events
    if (first) {
      const batch =
        this.#lostBefore > 0
          ? [{ ...first, dropped_before: first.dropped_before + this.#lostBefore }, ...others]
          : events
      try {
        const delivered = this.#deliver(batch)
        if (delivered) await delivered
        this.#lostBefore = 0
      } catch {
        this.failed += events.length
        for (const { dropped_before: before } of events) this.#lostBefore += 1 + before
      }
    }
    this.#running = false
    if (this.#reader.behind > 0) this.#start(0)
    else this.#onIdle?.()
  }
}
