/**
 * Where events are made, in every process that serves: at the end of a request one object is built, counted and put into a
 * ring. That is all a request ever waits for, and its time is kept as a histogram; everything else happens later.
 */

import type { Recorder } from '../metrics/recorder.ts'
import type { RequestContext } from '../pipeline/context.ts'
import type { AnswerHead, BodyWatch, HeaderPairs, Observer } from '../pipeline/stages.ts'
import type { Publisher } from '../processes/processes.ts'
import { AnswerFacts } from './answer-facts.ts'
import { Drain } from './drain.ts'
import { eventOf } from './event.ts'
import { EventRing } from './ring.ts'
import { type TraceContext, traceContextOf, traceparentOf } from './trace-context.ts'

export const EVENTS_CHANNEL = 'events'
const CLOSE_MS = 500

export interface EventCounts {
  emitted: number
  /** Overwritten before this process handed them on. */
  dropped: number
  /** Requests under way. */
  in_flight: number
}

interface Followed {
  facts?: AnswerFacts
  trace?: TraceContext
}

export class EventObserver implements Observer {
  readonly #ring: EventRing
  readonly #drain: Drain
  readonly #recorder: Recorder
  readonly #traces: boolean
  /** The requests under way. */
  readonly #followed = new Map<RequestContext, Followed>()

  constructor(options: { buffer: number; traces: boolean }, recorder: Recorder, publisher: Publisher) {
    this.#ring = new EventRing(options.buffer)
    this.#recorder = recorder
    this.#traces = options.traces
    this.#drain = new Drain(this.#ring, (events) => {
      if (publisher.heard(EVENTS_CHANNEL)) publisher.publish(EVENTS_CHANNEL, events)
    })
  }

  started(context: RequestContext): void {
    const given = context.headers.traceparent
    const trace = this.#traces ? traceContextOf(typeof given === 'string' ? given : undefined) : undefined
    this.#followed.set(context, trace ? { trace } : {})
  }

  upstreamHeaders(context: RequestContext): HeaderPairs {
    const trace = this.#followed.get(context)?.trace
    return trace ? ['traceparent', traceparentOf(trace)] : []
  }

  answer(context: RequestContext, head: AnswerHead): BodyWatch {
    const facts = new AnswerFacts(head)
    const followed = this.#followed.get(context)
    if (followed) followed.facts = facts
    return facts
  }

  done(context: RequestContext): void {
    const startMs = performance.now()
    const { facts, trace } = this.#followed.get(context) ?? {}
    this.#followed.delete(context)
    const event = eventOf(context, facts, trace?.sampled ? trace : undefined)
    this.#ring.push(event)
    this.#recorder.done(event, performance.now() - startMs)
  }

  counts(): EventCounts {
    return { emitted: this.#ring.written, dropped: this.#drain.dropped, in_flight: this.#followed.size }
  }

  close(): Promise<void> {
    return this.#drain.close(CLOSE_MS)
  }
}
