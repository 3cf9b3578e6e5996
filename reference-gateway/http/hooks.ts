/**
 * The places where a request can be inspected, changed, answered or recorded on its way. A hook that is off is absent
 * and costs nothing. A hook that does not wait answers without a promise, so that the request goes on in the same turn.
 *   receive+limits -> auth -> parse -> InputHook -> CacheHook.lookup -> route+acquire -> upstream
 *   -> (translation) -> OutputHook -> CacheFill.store -> write -> Observer
 * The pipeline itself measures kt-input-policy, kt-cache, kt-output-policy and kt-events around the calls (until the
 * promise settles, where there is one). What a hook knows better it records in `context.timings` (see timings.ts): a
 * stream filter that holds text on purpose, a cache lookup that waits for another request's upstream response.
 */

import type { GatewayError } from './gateway-error.ts'
import type { RequestContext } from './request-context.ts'

export type Maybe<T> = T | Promise<T>

/** A name, its value, the next name, and so on, as node:http takes them. */
export type HeaderPairs = readonly string[]

// --- Input policies

export interface InputHook {
  /**
   * Reads a large body in a thread, in place of body-parser.ts, for those who need more of it than what it says.
   * `largeAboveBytes`: from which size on.
   */
  read?(context: RequestContext): Promise<GatewayError | undefined>
  readonly largeAboveBytes?: number
  /**
   * Called for every request with a JSON body, whatever its endpoint. An error thrown here is a bug, answered with 500.
   */
  check(context: RequestContext): Maybe<PolicyVerdict>
  close?(): Maybe<void>
}

/** Of a request's body, or of an answer's. */
export type PolicyVerdict =
  | { kind: 'pass' }
  /** The request, or the answer, goes on with this body; a request's context has its own until then. */
  | { kind: 'changed'; body: Buffer }
  | { kind: 'blocked'; error: GatewayError }

// --- Cache

export interface CacheHook {
  /** Called for POST requests with a JSON body. Never rejects: a backend that fails is a bypass. */
  lookup(context: RequestContext): Maybe<CacheLookup>
  close?(): Maybe<void>
}

export type CacheLookup =
  | { kind: 'bypass' }
  | { kind: 'hit'; answer: StoredResponse; ageSeconds: number }
  | { kind: 'miss'; fill: CacheFill }

/**
 * Held by the request that asks the provider for everybody who wants the same. It calls one of the two methods, once.
 */
export interface CacheFill {
  /** Asks before `bytes` more of the response are kept. False: there is no room for them, so call `abandon`. */
  reserve(bytes: number): boolean
  /** Call it with a complete 200, after output policies. */
  store(answer: StoredResponse): void
  /** Call it in any other case: another status, a broken stream, a client that left, a response too large to keep. */
  abandon(): void
}

export interface StoredResponse {
  /**
   * Content headers worth repeating (content-type); no framing, and nothing that belongs to one connection or one
   * moment.
   */
  headers: HeaderPairs
  body: Buffer
  /** An event stream, which is replayed chunked. */
  stream: boolean
}

// --- Output policies

export interface OutputHook {
  /**
   * Called before the body. Returns what filters this response, or why it cannot be read, and so cannot be passed on;
   * undefined where there is nothing to judge (no body, sound, a picture).
   */
  filter(
    context: RequestContext,
    head: ResponseHead,
  ): WholeFilter | StreamFilterFactory | { kind: 'refused'; error: GatewayError } | undefined
  close?(): Maybe<void>
}

export interface ResponseHead {
  status: number
  /** `text/event-stream`. */
  isEventStream: boolean
  /** All of them, where the provider sent several. */
  contentType: string
  /** Known to be 0. */
  contentLength?: number | undefined
}

/** Filters a response that is one JSON document. The pipeline collects the whole body first. */
export interface WholeFilter {
  kind: 'whole'
  apply(body: Buffer): Maybe<PolicyVerdict>
}

/** Makes the filter of an event stream. */
interface StreamFilterFactory {
  kind: 'stream'
  start(sink: StreamSink): StreamFilter
}

/** Where a stream filter writes what may leave. */
export interface StreamSink {
  /** Runs the callback of one of the filter's timers or promises: an error ends the response. */
  run(step: () => void): void
  /** Writes to the client. False: the client reads slowly, and the filter's `drained` will be called. */
  write(chunk: Buffer): boolean
  /** The filter accepts more, after its `write` returned false for a reason of its own. */
  resume(): void
  /** Everything was written, and the response ends well. Must follow the filter's `end`, at once or later. */
  end(): void
  /**
   * Writes `lastEvent` (a complete SSE event), ends the response and cancels the upstream request. `code` is for the
   * record.
   */
  block(lastEvent: Buffer, code: string): void
}

export interface StreamFilter {
  /**
   * A piece of the event stream, split anywhere, that came at `nowMs`. False: wait for `drained`, or for `resume` of
   * the sink.
   */
  write(chunk: Buffer, nowMs?: number): boolean
  /** The provider's stream is complete. */
  end(): void
  /** The client is ready for more. */
  drained(): void
  /** The response broke off or the client left: stop timers, and write nothing more. */
  abort(): void
}

// --- The upstream's response

/** Controls the upstream response. */
export interface UpstreamFlow {
  pause(): void
  resume(): void
  /** Cancels the upstream request. */
  abort(): void
}

// --- Events, metrics, tracing

/** Sees every request under /v1/. Must not throw, and must not wait. */
export interface Observer {
  /** The request was accepted; its body has not arrived yet. */
  onStart?(context: RequestContext): void
  /** Headers for the upstream request, which replace the client's headers of the same names (traceparent). */
  readonly upstreamHeaders?: ((context: RequestContext) => HeaderPairs) | undefined
  /**
   * The response's head is known. The returned observer sees the body as the client gets it. Called for cache hits too.
   */
  onResponse?(context: RequestContext, head: ResponseHead): BodyObserver | undefined
  /**
   * The response is complete or broke off: `status`, `endedMs` and `timings` are final. Called once for each request.
   */
  onEnd?(context: RequestContext): void
  close?(): Maybe<void>
}

export interface BodyObserver {
  /**
   * Keeps the piece, or counts it, and does everything else later: no clock is read around it, since a stream calls it
   * for each token.
   */
  data(chunk: Buffer): void
}

// --- All of them

export interface PipelineHooks {
  input?: InputHook
  cache?: CacheHook
  output?: OutputHook
  observers: readonly Observer[]
}
