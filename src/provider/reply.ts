/**
 * The answer to one request as bytes that leave: stamped, noted in the truth, held while the provider stalls, and cut
 * where a fault asks for it. The same over HTTP/1.1 and HTTP/2. Its callers decide what is written and when.
 */

import type { ServerResponse } from 'node:http'
import { constants, type Http2ServerResponse } from 'node:http2'
import { TLSSocket } from 'node:tls'
import type { Clock } from '../system/clock.ts'
import { formatStamp, writeFingerprint } from '../wire/stamp.ts'
import type { Stalls } from './latency.ts'
import type { TruthRecord } from './truth.ts'

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export type Outgoing = ServerResponse | Http2ServerResponse

/** The part that both protocols share; as a union, their overloads cannot be called. */
interface Writable {
  writeHead: (status: number, headers: string[]) => unknown
  write: (chunk: string | Buffer) => boolean
  end: (chunk: string | Buffer) => unknown
  once: (event: 'drain', listener: () => void) => unknown
}

/** A stamp as a member of an object, and as the end of a text; '' where there is none. */
export interface Stamps {
  member: string
  text: string
}

const NO_STAMPS: Stamps = { member: '', text: '' }

export class Reply {
  readonly id: string
  /** The request's last body byte. */
  receivedUs: number
  record: TruthRecord | undefined
  requestIdHeader = 'x-request-id'
  readonly #response: Outgoing
  readonly #writable: Writable
  readonly #clock: Clock
  readonly #stalls: Stalls | undefined
  readonly #stampInText: boolean
  readonly #timer: DueTimer
  #wasCut = false

  constructor(response: Outgoing, id: string, clock: Clock, stalls: Stalls | undefined, stampInText: boolean) {
    this.#response = response
    this.#writable = response
    this.id = id
    this.#clock = clock
    this.#stalls = stalls
    this.#stampInText = stampInText
    this.#timer = new DueTimer(clock)
    this.receivedUs = Math.round(clock())
  }

  /** Calls `act` when `dueUs` has come and the provider is not stalled; at once, without a timer, when it has. */
  at(dueUs: number, act: () => void): void {
    this.#timer.at(dueUs, () => {
      const stalledUntilUs = this.#stalls?.endUs(this.#clock())
      if (stalledUntilUs === undefined) act()
      else this.at(stalledUntilUs, act)
    })
  }

  /** Whether `dueUs` has come and the provider is not stalled. */
  isDue(dueUs: number): boolean {
    const nowUs = this.#clock()
    return nowUs >= dueUs && this.#stalls?.endUs(nowUs) === undefined
  }

  nowUs(): number {
    return this.#clock()
  }

  /** Since the request's last body byte. */
  providerUs(): number {
    return Math.round(this.#clock()) - this.receivedUs
  }

  stamps(providerUs: number): Stamps {
    if (!this.record) return NO_STAMPS
    const { nonce, attempt } = this.record
    const stamp = formatStamp({ nonce, attempt, providerUs })
    return { member: writeFingerprint(stamp), text: this.#stampInText ? ` ${stamp}` : '' }
  }

  /** Notes in the truth that `tokens`, in `events`, are written once the write at `providerUs` has been made. */
  note(status: number, providerUs: number, tokens = this.record?.tokens ?? 0, events = this.record?.events ?? 0): void {
    if (!this.record) return
    const writeUs = this.receivedUs + providerUs
    this.record.firstWriteUs ??= writeUs
    this.record.lastWriteUs = writeUs
    this.record.status = status
    this.record.tokens = tokens
    this.record.events = events
  }

  /** The head of a JSON answer of `bytes` bytes. */
  headJson(status: number, providerUs: number, bytes: number, headers: readonly string[] = []): void {
    const all = this.#headers('application/json', providerUs)
    this.#writable.writeHead(status, [...all, 'content-length', String(bytes), ...headers])
  }

  headStream(providerUs: number): void {
    const headers = this.#headers('text/event-stream; charset=utf-8', providerUs)
    this.#writable.writeHead(200, [...headers, 'cache-control', 'no-cache'])
  }

  /** The head of a recorded answer. */
  headRecorded(status: number, providerUs: number, headers: readonly string[]): void {
    this.#writable.writeHead(status, [...headers, ...providerTiming(providerUs)])
  }

  /** Sends the head before any of the body is there; over HTTP/2 it has left already. */
  flushHead(): void {
    if (!('stream' in this.#response)) this.#response.flushHeaders()
  }

  /** False when the reader is behind: wait for `onceDrained`. */
  write(chunk: string | Buffer): boolean {
    return this.#writable.write(chunk)
  }

  onceDrained(listener: () => void): void {
    this.#writable.once('drain', listener)
  }

  end(chunk: string | Buffer): void {
    this.#writable.end(chunk)
  }

  /** The answer has left whole, or was ended on purpose: nobody left before its end. */
  get isComplete(): boolean {
    // node:http2 ends a stream that its client reset, and calls it finished.
    const left = 'stream' in this.#response && this.#response.stream.aborted
    return this.#wasCut || (this.#response.writableFinished && !left)
  }

  /** Breaks off: 'reset' with a TCP reset, 'close' after what was written. Over HTTP/2 both reset the stream. */
  cut(how: 'reset' | 'close'): void {
    this.#wasCut = true
    this.#timer.stop()
    if ('stream' in this.#response) {
      const { stream } = this.#response
      const reset = (): void => stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      // What was written leaves at the end of this turn.
      if (how === 'close') setImmediate(reset)
      else reset()
      return
    }
    const { socket } = this.#response
    if (how === 'close') socket?.destroySoon()
    // A TLS socket knows no reset.
    else if (socket instanceof TLSSocket) socket.destroy()
    else socket?.resetAndDestroy()
  }

  /** The client left before the answer was whole. */
  abort(): void {
    this.#timer.stop()
    if (this.record) this.record.aborted = true
  }

  #headers(contentType: string, providerUs: number): string[] {
    return ['content-type', contentType, ...providerTiming(providerUs), this.requestIdHeader, `req_${this.id}`]
  }
}

function providerTiming(providerUs: number): string[] {
  return ['server-timing', `kt-provider;dur=${(providerUs / 1_000).toFixed(3)}`]
}

/**
 * Waits for an instant on the monotonic clock. Never early: Node's timers count whole milliseconds of a cached loop
 * time and may fire up to one too soon. Up to about a millisecond late, on purpose: spinning for the last part would
 * take the processor from the gateway under test, and a stamp reports the time really taken.
 */
export class DueTimer {
  readonly #clock: Clock
  #timer: NodeJS.Timeout | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `ring` at `dueUs`, replacing what was set before; at once, without a timer, when that has passed. */
  at(dueUs: number, ring: () => void): void {
    this.stop()
    const leftMs = (dueUs - this.#clock()) / 1_000
    if (leftMs <= 0) ring()
    else this.#timer = setTimeout(() => this.at(dueUs, ring), Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS))
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
