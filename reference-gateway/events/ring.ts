/**
 * The newest events, for any number of readers that read at their own pace. Writing never waits: a new event overwrites
 * the oldest one. A reader that had not read the overwritten event loses it, and its next read says how many it lost,
 * with those that the lost ones said were lost before them. So a reader that is stuck affects only itself.
 */
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'

interface RingRead {
  events: readonly GatewayEvent[]
  /** Events lost before the first of them, without those that the first itself tells. */
  dropped: number
}

export class EventRing {
  readonly capacity: number
  readonly #slots: (GatewayEvent | undefined)[]
  readonly #readers = new Set<RingReader>()
  /** Events written since the start; the next event goes to slot written % capacity. */
  #written = 0
  /** By slot: what this event and all before it told of losses. */
  readonly #lost: Float64Array
  #lostUpToNow = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#slots = new Array<GatewayEvent | undefined>(capacity).fill(undefined)
    this.#lost = new Float64Array(capacity)
  }

  get written(): number {
    return this.#written
  }

  push(event: GatewayEvent): void {
    this.#slots[this.#written % this.capacity] = event
    this.#lostUpToNow += event.dropped_before
    this.#lost[this.#written % this.capacity] = this.#lostUpToNow
    this.#written++
    for (const reader of this.#readers) reader.wake()
  }

  /** What the events up to this one, which is kept, told of losses. */
  lostUpTo(sequence: number): number {
    return sequence < 0 ? 0 : (this.#lost[sequence % this.capacity] ?? 0)
  }

  get lostUpToNow(): number {
    return this.#lostUpToNow
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
  #told: number

  constructor(ring: EventRing, wake: () => void, close: () => void) {
    this.#ring = ring
    this.#next = ring.written
    this.#told = ring.lostUpToNow
    this.wake = wake
    this.close = close
  }

  get behind(): number {
    return this.#ring.written - this.#next
  }

  read(most: number): RingRead {
    const oldest = Math.max(0, this.#ring.written - this.#ring.capacity)
    const overwritten = Math.max(0, oldest - this.#next)
    this.dropped += overwritten
    this.#next += overwritten
    const first = this.#ring.at(this.#next)
    const toldBefore = first && this.behind > 0 ? this.#ring.lostUpTo(this.#next) - first.dropped_before : this.#told
    const dropped = overwritten + toldBefore - this.#told
    const events: GatewayEvent[] = []
    while (events.length < most && this.#next < this.#ring.written) {
      const event = this.#ring.at(this.#next++)
      if (event) events.push(event)
    }
    this.#told = this.#ring.lostUpTo(this.#next - 1)
    return { events, dropped }
  }
}
