/**
 * A walk that remembers the last event: events of a stream differ only in a few values (the text, the fingerprint, a
 * count, padding). The last event that was walked is kept as a frame, with the places of the values that were seen to
 * differ. An event that equals the frame byte for byte around these values is not walked again.
 */
import { JsonWalk, QUOTE } from './json-walk.ts'

/** A stream whose events did not fit the frame this often is walked whole from then on. */
const MOST_MISSES = 8

const NO_VIEW: DataView = new DataView(new ArrayBuffer(0))

/** An event with more values is never remembered. */
const MOST_VALUES = 24

/** A value of which nobody needs more than that it may differ. */
export const OTHER = 0

/** The place of a value in an event, quotes included. */
interface ValueSpan {
  start: number
  end: number
  /** What it is to who reads the events; 0 where it is nothing. */
  is: number
  /** It differs from event to event. */
  varies: boolean
}

export abstract class FramedWalk extends JsonWalk {
  /** The values of the event that is walked, and their number; the same objects serve every event. */
  readonly #walked: ValueSpan[] = []
  #values = 0
  #frame: Buffer | undefined
  /** Of the frame, and of the bytes that were read last: four bytes are compared at once. */
  #frameView = NO_VIEW
  #view = NO_VIEW
  #viewed: Buffer | undefined
  #framed: ValueSpan[] = []
  #misses = 0

  /** Takes a value that was read: the bytes from `start` on, up to where the walk stands. False: it is unusual. */
  protected abstract take(is: number, start: number): boolean

  /** Another stream begins. The frame is kept: the streams of a run are mostly alike. */
  beginStream(): void {
    this.#misses = 0
  }

  protected override begin(bytes: Buffer, start: number, end: number): void {
    super.begin(bytes, start, end)
    this.#values = 0
  }

  /** Reads an event that fits the frame. False: it is to be walked, from the beginning. */
  protected readFramed(): boolean {
    const frame = this.#frame
    if (!frame) return false
    if (this.bytes !== this.#viewed) {
      this.#viewed = this.bytes
      this.#view = viewOf(this.bytes)
    }
    let from = 0
    for (const { start, end, is, varies } of this.#framed) {
      if (!varies) continue
      if (!this.#follows(frame, from, start)) return false
      const { at } = this
      if (this.bytes[at] === QUOTE ? !this.string() : frame[start] === QUOTE || !this.number()) return false
      if (is !== OTHER && !this.take(is, at)) return false
      from = end
    }
    return this.end - this.at === frame.length - from && this.#follows(frame, from, frame.length)
  }

  /** Reads a string that is a value. */
  protected stringValue(is: number): boolean {
    const start = this.at
    if (!this.string()) return false
    this.#note(is, start)
    return true
  }

  /** Reads a number that is a value. */
  protected numberValue(is: number): boolean {
    const start = this.at
    if (!this.number()) return false
    this.#note(is, start)
    return true
  }

  #note(is: number, start: number): void {
    const place = this.#values++
    if (place >= MOST_VALUES) return
    const walked = this.#walked[place]
    if (walked) {
      walked.start = start
      walked.end = this.at
      walked.is = is
    } else this.#walked.push(createSpan(start, this.at, is, false))
  }

  /** If the frame's bytes from `from` to `to` come next, moves behind them. */
  #follows(frame: Buffer, from: number, to: number): boolean {
    const { bytes, at } = this
    if (this.end - at < to - from) return false
    const [ours, theirs] = [this.#frameView, this.#view]
    let [i, j] = [from, at]
    for (; i + 4 <= to; i += 4, j += 4) if (ours.getUint32(i) !== theirs.getUint32(j)) return false
    for (; i < to; i++, j++) if (frame[i] !== bytes[j]) return false
    this.at = j
    return true
  }

  /** Keeps the event that was walked, and that began at `eventStart`, as the frame. */
  protected remember(eventStart: number): void {
    if (this.#values > MOST_VALUES || this.#misses >= MOST_MISSES) return
    const known = this.#frame
    if (known && ++this.#misses === MOST_MISSES) {
      this.#frame = undefined
      return
    }
    const frame = Buffer.from(this.bytes.subarray(eventStart, this.end))
    const framed = this.#walked
      .slice(0, this.#values)
      .map(({ start, end, is }) => createSpan(start - eventStart, end - eventStart, is, is !== OTHER))
    if (known && equalAround(known, this.#framed, frame, framed)) {
      for (const [i, { start, end, varies }] of this.#framed.entries()) {
        const now = framed[i]
        if (now) now.varies ||= varies || !known.subarray(start, end).equals(frame.subarray(now.start, now.end))
      }
    }
    this.#frame = frame
    this.#frameView = viewOf(frame)
    this.#framed = framed
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

function createSpan(start: number, end: number, is: number, varies: boolean): ValueSpan {
  return { start, end, is, varies }
}

/** Whether two events are equal around their values. */
function equalAround(a: Buffer, inA: ValueSpan[], b: Buffer, inB: ValueSpan[]): boolean {
  if (inA.length !== inB.length) return false
  let [fromA, fromB] = [0, 0]
  for (const [i, { start, end }] of inA.entries()) {
    const other = inB[i]
    if (!other || !a.subarray(fromA, start).equals(b.subarray(fromB, other.start))) return false
    fromA = end
    fromB = other.end
  }
  return a.subarray(fromA).equals(b.subarray(fromB))
}
