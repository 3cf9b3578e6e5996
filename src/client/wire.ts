/**
 * The socket of one of kt's own HTTP/1.1 connections, patched to cost less and to tell times: `wroteUs` is read just
 * before a request is handed to the system, `readUs` as soon as bytes have arrived, before anything parses them. The
 * bytes on the wire are those that undici and Node would have sent and read.
 *   Writes: undici corks, writes a head and a body, and uncorks. Node would hand the two to the system as a vector,
 * which costs more than twice as much as a single buffer.
 *   Reads, in the clear: into one buffer of the thread (`landing`), copied out at their true length (`keep`), handed
 * over a moment later (inbox.ts). A stream would set 64 KiB aside for every read and wait for the next tick. Copies of
 * small reads are left to the garbage collector. Those of large reads are lent and come back: tens of kilobytes an
 * answer would make the collector go through the whole heap ten times a second.
 */
import type { OnReadOpts, Socket } from 'node:net'
import type { Clock } from '../system/clock.ts'
import type { Inbox, Reader } from './inbox.ts'
import { InterimAnswers } from './interim-answers.ts'

const READ_BYTES = 65_536
/** Copies from this size on are lent. */
const LARGE_BYTES = 4_096
/** More buffers than are waiting at once in most runs; beyond it they are left to the collector. */
const MOST_SPARE = 64
/** Buffers lent for one answer; the rest of a longer answer is left to the collector. */
const MOST_LENT = 2

/** The buffer that the system writes into; the next read of any connection overwrites it. */
export const landing = Buffer.allocUnsafeSlow(READ_BYTES)

const spare: ArrayBuffer[] = []

export class Wire implements Reader {
  /** The latest request must not be handed to the system before this time. */
  notBeforeUs = Number.NEGATIVE_INFINITY
  /** When the latest request was ready to be handed over; NaN before there was one. */
  readyUs = Number.NaN
  /** When the latest request was handed to the system; NaN before there was one. */
  wroteUs = Number.NaN
  /** While bytes are being handed over: when they arrived. NaN at any other time. */
  readUs = Number.NaN
  readonly #clock: Clock
  readonly #inbox: Inbox
  #socket: Socket | undefined
  #arrived: Buffer | null = null
  /** Buffers of the present answer that have been read: undici and the slot may hold parts of them until it ends. */
  readonly #lent: Buffer[] = []
  readonly #interim = new InterimAnswers()

  constructor(clock: Clock, inbox: Inbox) {
    this.#clock = clock
    this.#inbox = inbox
  }

  /** For `net.connect`: reads go past the stream. */
  get onread(): OnReadOpts {
    return { buffer: landing, callback: (bytes) => this.#land(bytes) }
  }

  /** Takes over a socket that has just connected; `direct` where it was made with `onread`. */
  attach(socket: Socket, direct: boolean): void {
    this.#joinWrites(socket)
    const read = socket.read.bind(socket)
    socket.read = (size?: number): Buffer | null => {
      const bytes = this.#take() ?? (Number.isNaN(this.readUs) ? read(size) : null)
      if (bytes !== null) this.#interim.pass(bytes)
      return bytes
    }
    if (!direct) return
    this.#socket = socket
    // Everything that arrived on the connection is read before its end is seen.
    socket.on('end', () => this.#inbox.readAll(this))
    const destroy = socket.destroy.bind(socket)
    socket.destroy = (error?: Error): Socket => {
      // A reset. After kt itself has aborted a request nothing more is read.
      if (error && 'syscall' in error) this.#inbox.readAll(this)
      return destroy(error)
    }
  }

  /**
   * The latest request is ready: waits until it is due, and returns the time. Only some microseconds are left by then,
   * for which no timer is exact enough, so it spins.
   */
  waitUntilDue(): number {
    this.readyUs = this.#clock()
    let nowUs = this.readyUs
    while (nowUs < this.notBeforeUs) nowUs = this.#clock()
    return nowUs
  }

  get answerBegun(): boolean {
    return this.#interim.begun
  }

  read(bytes: Buffer, atUs: number): void {
    this.readUs = atUs
    this.#arrived = bytes
    this.#socket?.emit('readable')
    this.#arrived = null
    this.readUs = Number.NaN
    if (isLent(bytes) && this.#lent.length < MOST_LENT) this.#lent.push(bytes)
  }

  #take(): Buffer | null {
    const arrived = this.#arrived
    this.#arrived = null
    return arrived
  }

  #land(bytes: number): boolean {
    this.#inbox.add(this, keep(bytes))
    return true
  }

  #joinWrites(socket: Socket): void {
    const write = socket.write.bind(socket) as (chunk: Buffer | string, encoding?: BufferEncoding) => boolean
    const rest = socket.write.bind(socket) as (...args: unknown[]) => boolean
    let corked = false
    let head = ''
    socket.cork = () => {
      corked = true
    }
    socket.uncork = () => {
      corked = false
      if (head !== '') {
        write(head, 'latin1')
        head = ''
      }
    }
    socket.write = ((chunk: Buffer | string, ...more: unknown[]) => {
      if (!corked) return rest(chunk, ...more)
      if (typeof chunk === 'string') {
        head += more[0] === 'latin1' ? chunk : Buffer.from(chunk).toString('latin1')
        return true
      }
      const whole = Buffer.allocUnsafe(head.length + chunk.length)
      whole.write(head, 0, 'latin1')
      chunk.copy(whole, head.length)
      head = ''
      giveBack(this.#lent)
      this.#interim.expectAnswer()
      this.wroteUs = this.waitUntilDue()
      return write(whole)
    }) as Socket['write']
  }
}

/** A copy of the first `bytes` of the landing. */
export function keep(bytes: number): Buffer {
  const kept =
    bytes < LARGE_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.from(spare.pop() ?? new ArrayBuffer(READ_BYTES), 0, bytes)
  landing.copy(kept, 0, 0, bytes)
  return kept
}

/** Whether a copy made by keep() comes back. */
export function isLent(kept: Buffer): boolean {
  return kept.length >= LARGE_BYTES
}

/** Takes lent copies back: nobody holds any part of them any more. */
export function giveBack(kept: Buffer[]): void {
  for (const { buffer } of kept) if (spare.length < MOST_SPARE) spare.push(buffer as ArrayBuffer)
  kept.length = 0
}
