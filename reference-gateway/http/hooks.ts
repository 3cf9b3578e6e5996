/**
 * The places where a request can be looked at, changed, answered or recorded on its way. A stage that is off is absent and
 * costs nothing; one that needs not wait answers without a promise, so that the request goes on in the same turn.
 *
 *   receive+limits -> auth -> parse -> InputStage -> CacheStage.lookup -> route+acquire -> upstream
 *   -> (translation) -> OutputStage -> CacheFlight.store -> write -> Observer
 *
 * The pipeline itself measures kt-input-policy, kt-cache, kt-output-policy and kt-events around the calls (until the promise settles,
 * where there is one). What a stage knows better it says with `context.timings` (see timings.ts): a stream filter that
 * holds text on purpose, a cache lookup that waits for somebody else's upstream answer.
 */

import type { GatewayError } from './gateway-error.ts'
import type { JsonObject, RequestContext } from './request-context.ts'

export type Maybe<T> = T | Promise<T>

/** A name, its value, the next name, ... as node:http takes them. */
export type HeaderPairs = readonly string[]

// --- Input policies

export interface InputHook {
  /** Reads a large body where nobody else waits for it: as `readBody` of safety/request-body.ts. */
  read?(context: RequestContext): Promise<GatewayError | undefined>
  /** Called for every request with a JSON body, whatever its endpoint. What it throws is a bug and answered with 500. */
  check(context: RequestContext): Maybe<InputVerdict>
  close?(): Maybe<void>
}

export type InputVerdict =
  | { kind: 'pass' }
  /** Goes on with this body instead; `context.json` is left as it is until then. */
  | { kind: 'changed'; json: JsonObject }
  | { kind: 'blocked'; error: GatewayError }

// --- Cache

export interface CacheHook {
  /** Called for POST requests with a JSON body. Never rejects: a backend that fails is a bypass. */
  lookup(context: RequestContext): Maybe<CacheLookup>
  close?(): Maybe<void>
}

export type CacheLookup =
  | { kind: 'bypass' }
  | { kind: 'hit'; answer: StoredResponse }
  | { kind: 'miss'; fill: CacheFill }

/** The request that asks the provider for everybody who wants the same. Exactly one of the two is called, once. */
export interface CacheFill {
  /** A complete 200, after output policies. */
  store(answer: StoredResponse): void
  /** Anything else: another status, a broken stream, a client that left, an answer too large to keep. */
  abandon(): void
}

export interface StoredResponse {
  /** Content headers worth repeating (content-type), no framing, nothing of one connection or one moment. */
  headers: HeaderPairs
  body: Buffer
  /** An event stream: replayed chunked. */
  stream: boolean
}

// --- Output policies

export interface OutputHook {
  /** What shall look at this answer, or undefined where none is concerned (an error, embeddings, ...). Before its body. */
  filter(context: RequestContext, head: ResponseHead): WholeFilter | StreamFilterFactory | undefined
  close?(): Maybe<void>
}

export interface ResponseHead {
  status: number
  /** `text/event-stream`. */
  isEventStream: boolean
  contentType: string
}

/** For an answer that is one JSON document. It is collected whole first. */
export interface WholeFilter {
  kind: 'whole'
  apply(body: Buffer): Maybe<OutputVerdict>
}

export type OutputVerdict =
  | { kind: 'pass' }
  | { kind: 'changed'; body: Buffer }
  | { kind: 'blocked'; error: GatewayError }

/** For an event stream. */
export interface StreamFilterFactory {
  kind: 'stream'
  start(sink: StreamSink): StreamFilter
}

/** Where a stream filter puts what may leave. */
export interface StreamSink {
  /** Runs what a timer or a promise of the filter's own has called: what it throws ends the answer. */
  run(step: () => void): void
  /** Writes to the client. False: the client reads slowly, and `drained` of the filter will be called. */
  write(chunk: Buffer): boolean
  /** The filter takes more again after its `write` said false for a reason of its own. */
  resume(): void
  /** Everything was written; the answer ends well. Must follow `end` of the filter, at once or later. */
  end(): void
  /** Writes `lastEvent` (a complete SSE event) and ends the answer; the upstream is given up. `code` is for the record. */
  block(lastEvent: Buffer, code: string): void
}

export interface StreamFilter {
  /** A piece of the event stream as it came, split anywhere. False: no more for now, until `drained` or `resume` of the sink. */
  write(chunk: Buffer): boolean
  /** The provider's stream is complete. */
  end(): void
  /** The client is ready for more. */
  drained(): void
  /** The answer broke off or the client left: stop timers, write nothing more. */
  abort(): void
}

// --- The upstream's answer

/** The upstream's side. */
export interface UpstreamFlow {
  pause(): void
  resume(): void
  /** Gives the upstream's answer up. */
  abort(): void
}

// --- Events, metrics, tracing

/** Told of every request under /v1/. Must not throw, must not wait. */
export interface Observer {
  /** The request was accepted (before its body). */
  onStart?(context: RequestContext): void
  /** Headers for the upstream request, in place of the client's of the same names (traceparent). */
  upstreamHeaders?(context: RequestContext): HeaderPairs
  /** The answer's head is known. What it returns sees the body as the client gets it. Called for cache hits too. */
  onResponse?(context: RequestContext, head: ResponseHead): BodyObserver | undefined
  /** The answer is complete or broke off: `status`, `endedMs`, `timings` are final. Once a request. */
  onEnd?(context: RequestContext): void
  close?(): Maybe<void>
}

export interface BodyObserver {
  data(chunk: Buffer): void
}

// --- All of them

export interface PipelineHooks {
  input?: InputHook
  cache?: CacheHook
  output?: OutputHook
  observers: readonly Observer[]
}
