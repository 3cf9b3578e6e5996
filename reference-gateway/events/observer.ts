/**
 * Where events begin, in every process that serves. When a request ends, a reference to it is put into a bounded queue.
 * A request spends no other time on its event, and a histogram records that time. A moment later, in small batches
 * between requests, the event is made and published.
 */

import type { GatewayEvent } from '../../src/wire/gateway-event.ts'
import type { BodyObserver, HeaderPairs, Observer, ResponseHead } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { Publisher } from '../workers/worker-group.ts'
import { buildEvent } from './event.ts'
import { ResponseFacts } from './response-facts.ts'
import { formatTraceparent, parseTraceparent, type TraceContext } from './trace-context.ts'

export const EVENTS_CHANNEL = 'events'
const WAIT_MS = 20
/** Less than a millisecond of work. When many events wait, a batch is an eighth of them. */
const BATCH = 64

/** What a process publishes together. */
export interface PublishedEvents {
  events: readonly GatewayEvent[]
  /** By event: the time that its request spent on it. */
  emissionMs: readonly number[]
}

interface Followed {
  facts?: ResponseFacts
  trace?: TraceContext
}

interface Finished extends Followed {
  context: RequestContext
  at: Date
  emissionMs: number
}

export class EventObserver implements Observer {
  readonly #limit: number
  readonly #traces: boolean
  /** Without traces nobody is asked for headers. */
  readonly upstreamHeaders: ((context: RequestContext) => HeaderPairs) | undefined
  readonly #publisher: Publisher
  /** The requests under way. */
  readonly #followed = new Map<RequestContext, Followed>()
  #finished: Finished[] = []
  #timer: NodeJS.Timeout | undefined
  #emitted = 0
  #dropped = 0
  #droppedBefore = 0

  constructor(options: { buffer: number; traces: boolean }, publisher: Publisher) {
    this.#limit = options.buffer
    this.#traces = options.traces
    this.#publisher = publisher
    this.upstreamHeaders = options.traces ? (context) => this.#traceHeaders(context) : undefined
  }

  onStart(context: RequestContext): void {
    const given = context.headers.traceparent
    const trace = this.#traces ? parseTraceparent(typeof given === 'string' ? given : undefined) : undefined
    this.#followed.set(context, trace ? { trace } : {})
  }

  #traceHeaders(context: RequestContext): HeaderPairs {
    const trace = this.#followed.get(context)?.trace
    return trace ? ['traceparent', formatTraceparent(trace)] : []
  }

  onResponse(context: RequestContext, head: ResponseHead): BodyObserver {
    const facts = new ResponseFacts(head)
    const followed = this.#followed.get(context)
    if (followed) followed.facts = facts
    return facts
  }

  onEnd(context: RequestContext): void {
    const startMs = performance.now()
    const followed = this.#followed.get(context)
    this.#followed.delete(context)
    this.#emitted++
    if (this.#finished.length >= this.#limit) {
      this.#dropped++
      return
    }
    const finished: Finished = { ...followed, context, at: new Date(), emissionMs: 0 }
    this.#finished.push(finished)
    this.#timer ??= setTimeout(() => this.#drain(), WAIT_MS).unref()
    finished.emissionMs = performance.now() - startMs
  }

  /** Since the start; dropped: not queued, since the queue was full. */
  counts(): { emitted: number; dropped: number } {
    return { emitted: this.#emitted, dropped: this.#dropped }
  }

  /** Requests under way. */
  get inFlight(): number {
    return this.#followed.size
  }

  /** After this call every finished request is published. */
  flush(): void {
    while (this.#finished.length > 0) this.#deliver()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.flush()
  }

  #drain(): void {
    // At the start a request may be over before anybody reads.
    if (!this.#publisher.hasSubscribers(EVENTS_CHANNEL)) {
      this.#timer = setTimeout(() => this.#drain(), WAIT_MS).unref()
      return
    }
    this.#deliver()
    if (this.#finished.length > 0) setImmediate(() => this.#drain())
    else this.#timer = undefined
  }

  #deliver(): void {
    const batch = this.#finished.splice(0, Math.max(BATCH, this.#finished.length >> 3))
    const events: GatewayEvent[] = []
    const emissionMs: number[] = []
    for (const finished of batch) {
      const event = this.#made(finished)
      if (!event) continue
      events.push(event)
      emissionMs.push(finished.emissionMs)
    }
    const [first] = events
    if (!first) return
    first.dropped_before = this.#dropped - this.#droppedBefore
    this.#droppedBefore = this.#dropped
    this.#publisher.publish(EVENTS_CHANNEL, { events, emissionMs } satisfies PublishedEvents)
  }

  /** The event is made long after its request: one that fails is counted, and affects no other event. */
  #made({ context, facts, trace, at }: Finished): GatewayEvent | undefined {
    try {
      return buildEvent(context, facts, trace?.sampled ? trace : undefined, at)
    } catch {
      this.#dropped++
      return undefined
    }
  }
}
