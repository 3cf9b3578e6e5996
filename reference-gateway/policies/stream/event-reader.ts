/**
 * Finds where text lies in the bytes of one event of a stream. The usual form, one line of JSON, is scanned in place.
 * Every other form (several data lines, comments, other fields) is read as if it had that form: it leaves so where it
 * is changed, and as it came where it is not.
 */
import { EventScan } from '../../../src/wire/event-scan.ts'
import { isEndMark, SseReader } from '../../../src/wire/sse.ts'
import { eventEnd, lineEnd } from './sse-split.ts'

/** `json`: `scan` holds the rest. `nothing`: it has no data. */
type EventKind = 'json' | 'unreadable' | 'nothing'

const DATA = 'data:'
const DATA_LINE = /^data(?::|$)/
/** Fields that the protocol reads. Other lines, such as comments, may say anything. */
const OWN_FIELD = /^(?:event|id|retry):/

export class EventReader {
  readonly scan = new EventScan()
  /** The bytes that positions refer to: the given bytes, or the event in the usual form. */
  bytes: Buffer = Buffer.alloc(0)
  from = 0
  to = 0
  /** Where lines lie that are neither data nor a field of the protocol: from, to, from, to, ... */
  asides: number[] = []

  /** Reads the event at `at`, of events that end at `end`. Afterwards the next event begins at `next`. */
  next = 0

  read(bytes: Buffer, at: number, end: number): EventKind {
    this.bytes = bytes
    this.from = at
    if (this.asides.length > 0) this.asides = []
    // The usual form is read without looking for its end first.
    if (bytes[at] === 0x64 && bytes[at + 1] === 0x61 && bytes[at + 2] === 0x74 && bytes[at + 3] === 0x61) {
      const json = bytes[at + 5] === 0x20 ? at + 6 : at + 5
      if (bytes[at + 4] === 0x3a && bytes[json] === 0x7b && this.scan.read(bytes, json, end)) {
        const { after } = this.scan
        const line = lineEnd(bytes, after)
        const blank = line === 0 ? 0 : lineEnd(bytes, after + line)
        if (blank > 0) {
          this.to = this.next = after + line + blank
          return 'json'
        }
      }
    }
    return this.#readOther(bytes, at, end)
  }

  #readOther(bytes: Buffer, at: number, end: number): EventKind {
    // The second half of a CRLF whose first half ended the event before, or one blank line more.
    const blank = lineEnd(bytes, at)
    this.to = this.next = blank > 0 ? at + blank : eventEnd(bytes, at) || end
    if (blank > 0) return 'nothing'
    const event = bytes.subarray(at, this.to)
    const lines = event
      .toString('utf8')
      .replace(/^\ufeff/, '')
      .split(/\r\n|\n|\r/)
    const others = lines.filter((line) => line !== '' && !DATA_LINE.test(line))
    const text = lines.some((line) => DATA_LINE.test(line)) ? dataOf(event).replaceAll('\n', ' ') : ''
    const data = text === '' ? '' : `${DATA} ${text}\n`
    const head = others.map((line) => `${line}\n`).join('')
    if (data === '' && others.every((line) => OWN_FIELD.test(line))) return 'nothing'
    this.bytes = Buffer.from(`${head}${data}\n`)
    this.from = 0
    this.to = this.bytes.length
    let line = 0
    for (const other of others) {
      const length = Buffer.byteLength(other)
      if (!OWN_FIELD.test(other)) this.asides.push(line, line + length)
      line += length + 1
    }
    if (text.trim() === '' || isEndMark(text)) return 'nothing'
    const dataFrom = Buffer.byteLength(head) + DATA.length + 1
    const dataTo = this.to - 2
    return this.scan.read(this.bytes, dataFrom, dataTo) && this.#isBlank(dataTo) ? 'json' : 'unreadable'
  }

  #isBlank(to: number): boolean {
    return this.bytes.toString('latin1', this.scan.after, to).trim() === ''
  }
}

/** The data of one event, as a client reads it. */
function dataOf(event: Buffer): string {
  let all = ''
  const reader = new SseReader((data) => {
    all = data
  })
  reader.push(event)
  reader.end()
  return all
}
