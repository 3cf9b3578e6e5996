/**
 * Collects the events of all processes. The newest are kept for later questions; the file, the collector and every
 * client that follows live read them at their own pace. The hub runs beside the admin port: where there are several
 * processes, in the one that serves no requests.
 */
import { resolve } from 'node:path'
import { requireOptional } from '../../src/system/optional-package.ts'
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'
import type { EventsConfig } from '../config/config-file.ts'
import type { WorkerGroup } from '../workers/worker-group.ts'
import { type Deliver, Drain } from './drain.ts'
import { eventLine } from './event.ts'
import { LogFile } from './log-file.ts'
import { EVENTS_CHANNEL, type PublishedEvents } from './observer.ts'
import { EventRing } from './ring.ts'

interface Sink {
  name: string
  drain: Drain
  close(): Promise<void>
}

/** What the sink of spans imports. */
const OPENTELEMETRY = ['@opentelemetry/api', '@opentelemetry/exporter-trace-otlp-http', '@opentelemetry/resources']
/** A sink that is stuck is given up after this time. */
const CLOSE_MS = 2_000
/** Each export is an HTTP request, so its batches are larger than a file's. */
const SPANS_A_BATCH = 256

export class EventHub {
  /** The event file's absolute path; undefined without a file. */
  readonly file: string | undefined
  readonly #ring: EventRing
  readonly #sinks: Sink[] = []
  readonly #tails = new Set<Drain>()
  readonly #unsubscribe: () => void
  #droppedByTails = 0

  private constructor(config: EventsConfig, workers: WorkerGroup) {
    this.file = config.file && resolve(config.file.path)
    this.#ring = new EventRing(config.buffer)
    this.#unsubscribe = workers.subscribe(EVENTS_CHANNEL, (batch) => {
      // This program's own processes made the events, so their type is known.
      for (const event of (batch as PublishedEvents).events) this.#ring.push(event)
    })
  }

  static async open(config: EventsConfig, workers: WorkerGroup, report: (problem: string) => void): Promise<EventHub> {
    const hub = new EventHub(config, workers)
    if (config.file) {
      const file = new LogFile(config.file, 'event file', report)
      const deliver: Deliver = (events) => file.append(Buffer.from(events.map(eventLine).join('')))
      hub.#add('file', new Drain(hub.#ring, deliver), () => file.close())
    }
    if (config.otlp) {
      const { OtlpSink } = await requireOptional(OPENTELEMETRY, 'events.otlp', () => import('./otlp-sink.ts'))
      const sink = new OtlpSink(config.otlp, report)
      hub.#add('otlp', new Drain(hub.#ring, (events) => sink.deliver(events), SPANS_A_BATCH), () => sink.close())
    }
    return hub
  }

  /** The events that are kept, the oldest first. */
  recent(): GatewayEvent[] {
    return this.#ring.recent()
  }

  /** Delivers every event from now on, until the returned function is called. */
  follow(deliver: Deliver): () => void {
    const drain = new Drain(this.#ring, deliver)
    this.#tails.add(drain)
    return () => {
      if (!this.#tails.delete(drain)) return
      this.#droppedByTails += drain.dropped
      void drain.close(0)
    }
  }

  /** Events dropped since the start, by reader. */
  dropped(): Record<string, number> {
    let tail = this.#droppedByTails
    for (const drain of this.#tails) tail += drain.dropped
    return { ...Object.fromEntries(this.#sinks.map(({ name, drain }) => [name, drain.dropped])), tail }
  }

  /** Delivers the remaining events for a while, then closes the sinks. */
  async close(): Promise<void> {
    this.#unsubscribe()
    await Promise.all(
      this.#sinks.map(async ({ drain, close }) => {
        await drain.close(CLOSE_MS)
        await Promise.race([close(), new Promise((done) => setTimeout(done, CLOSE_MS).unref())])
      }),
    )
  }

  #add(name: string, drain: Drain, close: () => Promise<void>): void {
    this.#sinks.push({ name, drain, close })
  }
}
