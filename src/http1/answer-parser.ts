/**
 * Reads answers over HTTP/1.1 (RFC 9112) as their bytes come, in pieces cut anywhere: interim answers, the head, a body
 * by length, by chunks or until the connection closes, and trailers. Bodies are handed on as parts of the pieces,
 * without a copy. One object reads all answers of a connection, one after another.
 */
import { ChunkSize } from './chunk-size.ts'
import { type AnswerFault, BadAnswer, ClosedByPeer } from './faults.ts'
import { type Field, NO_FIELDS } from './fields.ts'
import { type AnswerHead, CHUNKED, HeadReader, UNTIL_CLOSE } from './head.ts'
import { CR, LF, skipLineEnds } from './section.ts'
import { TrailerReader } from './trailers.ts'

/** Hears one answer: its head, parts of its body, its end. */
export interface AnswerEvents {
  head(head: AnswerHead): void
  data(part: Buffer): void
  /** The answer is whole. `more` when other bytes than empty lines came behind it. */
  end(trailers: readonly Field[], more: boolean): void
}

const NOTHING = 0
const HEAD = 1
const COUNTED = 2
const TO_THE_END = 3
const CHUNK_SIZE = 4
const CHUNK = 5
const CHUNK_END = 6
const TRAILERS = 7

const SWITCHING = 101

export class AnswerParser {
  readonly #events: AnswerEvents
  readonly #heads = new HeadReader()
  readonly #size = new ChunkSize()
  readonly #trailers = new TrailerReader()
  #state = NOTHING
  #noBody = false
  /** Bytes that are left of the body, or of the chunk. */
  #left = 0
  /** Of the two bytes behind a chunk, how many have come. */
  #lineEnd = 0

  constructor(events: AnswerEvents) {
    this.#events = events
  }

  /**
   * A request is sent, and what comes next is its answer. Where requests are sent before the answers to others are
   * whole, it is called at the end of each. `noBody`: the answer to a HEAD speaks of a body that it does not have.
   */
  expect(noBody = false): void {
    this.#heads.begin()
    this.#noBody = noBody
    this.#state = HEAD
  }

  /** Only the end of the connection ends the answer that is read. */
  get readsUntilClose(): boolean {
    return this.#state === TO_THE_END
  }

  /** Nobody wants the rest. */
  stop(): void {
    this.#state = NOTHING
  }

  /** Takes the next bytes. */
  push(bytes: Buffer): AnswerFault | undefined {
    if (this.#state === NOTHING) {
      return skipLineEnds(bytes, 0) < bytes.length ? new BadAnswer('it answers no request') : undefined
    }
    let at = 0
    while (at < bytes.length && this.#state !== NOTHING) {
      switch (this.#state) {
        case HEAD: {
          const read = this.#heads.read(bytes, at)
          if (read === false) return undefined
          if (read !== true) return read
          at = this.#heads.after
          const fault = this.#begin(this.#heads.head, bytes, at)
          if (fault) return fault
          break
        }
        case COUNTED:
        case CHUNK: {
          const to = Math.min(bytes.length, at + this.#left)
          this.#left -= to - at
          const part = at === 0 && to === bytes.length ? bytes : bytes.subarray(at, to)
          at = to
          if (this.#left > 0) this.#events.data(part)
          else if (this.#state === CHUNK) {
            this.#state = CHUNK_END
            this.#lineEnd = 0
            this.#events.data(part)
          } else {
            this.#events.data(part)
            this.#end(NO_FIELDS, bytes, at)
          }
          break
        }
        case TO_THE_END:
          this.#events.data(at === 0 ? bytes : bytes.subarray(at))
          return undefined
        case CHUNK_SIZE: {
          at = this.#size.read(bytes, at)
          const { fault, done, value } = this.#size
          if (fault) return fault
          if (!done) return undefined
          this.#left = value
          this.#state = value > 0 ? CHUNK : TRAILERS
          if (value === 0) this.#trailers.begin()
          break
        }
        case CHUNK_END:
          if (bytes[at] !== (this.#lineEnd === 0 ? CR : LF)) return new BadAnswer('a chunk is longer than it says')
          at++
          if (++this.#lineEnd === 2) this.#nextChunk()
          break
        default: {
          const read = this.#trailers.read(bytes, at)
          if (read === false) return undefined
          if (read !== true) return read
          at = this.#trailers.after
          this.#end(this.#trailers.fields, bytes, at)
        }
      }
    }
    return undefined
  }

  /** The other side has closed the connection: that is the end of some bodies. */
  finish(): AnswerFault | undefined {
    if (this.#state === NOTHING) return undefined
    if (this.#state !== TO_THE_END) return new ClosedByPeer()
    this.#state = NOTHING
    this.#events.end(NO_FIELDS, false)
    return undefined
  }

  #begin(head: AnswerHead, bytes: Buffer, after: number): BadAnswer | undefined {
    if (head.status === SWITCHING) return new BadAnswer('a change of protocol that nobody asked for')
    // An interim answer: the one that counts is still to come.
    if (head.status < 200) return head.keepAlive ? undefined : new BadAnswer('it ends with an interim answer')
    const body = this.#noBody ? 0 : head.body
    this.#left = body
    if (body === CHUNKED) this.#nextChunk()
    else this.#state = body === UNTIL_CLOSE ? TO_THE_END : COUNTED
    this.#events.head(head)
    if (body === 0 && this.#state === COUNTED) this.#end(NO_FIELDS, bytes, after)
    return undefined
  }

  #nextChunk(): void {
    this.#size.begin()
    this.#state = CHUNK_SIZE
  }

  #end(trailers: readonly Field[], bytes: Buffer, at: number): void {
    // Whoever heard the last part may have stopped the rest.
    if (this.#state === NOTHING) return
    this.#state = NOTHING
    this.#events.end(trailers, skipLineEnds(bytes, at) < bytes.length)
  }
}
