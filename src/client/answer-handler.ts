/** Between a connection and who sends on it: the form of undici's handlers, which HTTP/2 calls directly. */
import type { ResponseHeaders } from '../http1/fields.ts'

export interface OutgoingRequest {
  path: string
  method: 'POST'
  /** Name, value, name, value. The same array always holds the same headers. */
  headers: string[]
  body: string
}

/** Of a request that is on its way. */
export interface RequestControl {
  abort(reason: Error): void
}

/** Hears one request: its start, its head and body being sent, its answer, and either the end or the error. */
export interface AnswerHandler {
  /** A connection is open, and the request is written next. */
  onRequestStart(control: RequestControl): void
  onRequestSent(): void
  onResponseStart(control: RequestControl, status: number, headers: ResponseHeaders): void
  onResponseData(control: RequestControl, chunk: Buffer): void
  onResponseEnd(control: RequestControl, trailers: ResponseHeaders): void
  onResponseError(control: RequestControl | undefined, error: Error): void
}
