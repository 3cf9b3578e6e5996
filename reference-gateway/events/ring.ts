/**
 * The newest events, for any number of readers that read at their own pace. Writing never waits: a new event overwrites
 * the oldest one. A reader that had not read the overwritten event loses it, and its next read says how many it lost.
 * So a reader that is stuck affects only itself.
 */
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'

interface RingRead {
  events: readonly GatewayEvent[]
  /** Events lost before the first of them. */
  dropped: number
}

export class EventRing {
  readonly capacity: number
  readonly #slots: (GatewayEvent | undefined)[]
  readonly #readers = new Set<RingReader>()
  /** Events written since the start; the next event goes to slot written % capacity. */
  #written = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#slots = new Array<GatewayEvent | undefined>(capacity).fill(undefined)
  }

  get written(): number {
    return this.#written
  }

  push(event: GatewayEvent): void {
    this.#slots[this.#written % this.capacity] = event
    this.#written++
    for (const reader of this.#readers) reader.wake()
  }

  at(sequence: number): GatewayEvent | undefined {
    return this.#slots[sequence % this.capacity]
  }

  /** The events that are kept, the oldest first. */
  recent(): GatewayEvent[] {
    const first = Math.max(0, this.#written - this.capacity)
    return Array.from({ length: this.#written - first }, (_, i) => this.at(first + i)).filter(
      (event) => event !== undefined,
    )
  }

  /** Reads events that are written from now on. `onEvent` runs within `push`, so it may only schedule work. */
  reader(onEvent: () => void): RingReader {
    const reader = new RingReader(this, onEvent, () => this.#readers.delete(reader))
    this.#readers.add(reader)
    return reader
  }
}

export class RingReader {
  /** Events lost since the start. */
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
    const events: GatewayEvent[] = []
    while (events.length < most && this.#next < this.#ring.written) {
      const event = this.#ring.at(this.#next++)
      if (event) events.push(event)
    }
    return { events, dropped }
  }
}
