/**
 * The newest events, for any number of readers that read at their own pace. Writing never waits: a new event takes the
 * place of the oldest, and a reader that had not read that one has lost it and is told how many at its next read. So a
 * reader that is stuck costs only itself.
 */
import type { RequestEvent } from './event.ts'

export interface RingRead {
  events: readonly RequestEvent[]
  /** Lost before the first of them. */
  dropped: number
}

export class EventRing {
  readonly capacity: number
  readonly #slots: (RequestEvent | undefined)[]
  readonly #readers = new Set<RingReader>()
  /** Events written since the start; the next one goes to slot written % capacity. */
  #written = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#slots = new Array<RequestEvent | undefined>(capacity).fill(undefined)
  }

  get written(): number {
    return this.#written
  }

  push(event: RequestEvent): void {
    this.#slots[this.#written % this.capacity] = event
    this.#written++
    for (const reader of this.#readers) reader.wake()
  }

  at(sequence: number): RequestEvent | undefined {
    return this.#slots[sequence % this.capacity]
  }

  /** What is there, the oldest first. */
  recent(): RequestEvent[] {
    const first = Math.max(0, this.#written - this.capacity)
    return Array.from({ length: this.#written - first }, (_, i) => this.at(first + i)).filter(
      (event) => event !== undefined,
    )
  }

  /** Reads what is written from now on. `onEvent` is called within `push`: it may only set something in motion. */
  reader(onEvent: () => void): RingReader {
    const reader = new RingReader(this, onEvent, () => this.#readers.delete(reader))
    this.#readers.add(reader)
    return reader
  }
}

export class RingReader {
  /** Lost since the start. */
  dropped = 0
  readonly wake: () => void
  readonly close: () => void
  readonly #ring: EventRing
  #next: number

  constructor(ring: EventRing, wake: () => void, close: () => void) {
    this.#ring = ring
    this.#next = ring.written
    this.wake = wake
    this.close = close
  }

  get behind(): number {
    return this.#ring.written - this.#next
  }

  read(most: number): RingRead {
    const oldest = Math.max(0, this.#ring.written - this.#ring.capacity)
    const dropped = Math.max(0, oldest - this.#next)
    this.dropped += dropped
    this.#next += dropped
    const events: RequestEvent[] = []
    while (events.length < most && this.#next < this.#ring.written) {
      const event = this.#ring.at(this.#next++)
      if (event) events.push(event)
    }
    return { events, dropped }
  }
}
