/**
 * Where the events of all processes come together: the newest are kept for those who ask later, and the file, the collector
 * and everyone who follows live read them at their own pace. Lives beside the admin port, in the process that has no
 * requests of its own where there are several.
 */
import { resolve } from 'node:path'
import type { EventsConfig } from '../config/config-file.ts'
import type { WorkerGroup } from '../workers/worker-group.ts'
import { type Deliver, Drain } from './drain.ts'
import type { RequestEvent } from './event.ts'
import { FileSink } from './file-sink.ts'
import { EVENTS_CHANNEL } from './observer.ts'
import { EventRing } from './ring.ts'

interface Sink {
  name: string
  drain: Drain
  close(): Promise<void>
}

/** Sinks that are stuck are given up after this. */
const CLOSE_MS = 2_000
/** An export costs a request of its own: larger batches than for a file. */
const SPANS_A_BATCH = 256

export class EventHub {
  /** The event file, absolute; undefined without one. */
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
      // From this program's own processes: as they made it.
      for (const event of batch as RequestEvent[]) this.#ring.push(event)
    })
  }

  static async open(config: EventsConfig, workers: WorkerGroup, report: (problem: string) => void): Promise<EventHub> {
    const hub = new EventHub(config, workers)
    if (config.file) {
      const sink = new FileSink(config.file, report)
      hub.#add('file', new Drain(hub.#ring, (events) => sink.deliver(events)), () => sink.close())
    }
    if (config.otlp) {
      const { OtlpSink } = await import('./otlp-sink.ts')
      const sink = new OtlpSink(config.otlp, report)
      hub.#add('otlp', new Drain(hub.#ring, (events) => sink.deliver(events), SPANS_A_BATCH), () => sink.close())
    }
    return hub
  }

  /** What is kept, the oldest first. */
  recent(): RequestEvent[] {
    return this.#ring.recent()
  }

  /** Every event from now on, until the returned function is called. */
  follow(deliver: Deliver): () => void {
    const drain = new Drain(this.#ring, deliver)
    this.#tails.add(drain)
    return () => {
      if (!this.#tails.delete(drain)) return
      this.#droppedByTails += drain.dropped
      void drain.close(0)
    }
  }

  /** By reader, since the start. */
  dropped(): Record<string, number> {
    let tail = this.#droppedByTails
    for (const drain of this.#tails) tail += drain.dropped
    return { ...Object.fromEntries(this.#sinks.map(({ name, drain }) => [name, drain.dropped])), tail }
  }

  /** Delivers what is there, for a while. */
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
