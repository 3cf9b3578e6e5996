/**
 * Finds where text lies in the bytes of one event of a stream. The usual form, one line of JSON, with or without a line
 * before that names the event, is scanned in place. Every other form (several data lines, comments, other fields) is
 * read as if it had that form: it leaves so where it is changed, and as it came where it is not.
 */
import { EventScan } from '../../../src/wire/event-scan.ts'
import { OPEN } from '../../../src/wire/json-walk.ts'
import { isEndMark, SseReader } from '../../../src/wire/sse.ts'
import { EventForm } from './event-form.ts'
import { eventEnd, lineEnd } from './sse-split.ts'

/** `json`: `scan` holds the rest. `nothing`: it has no data. */
type EventKind = 'json' | 'unreadable' | 'nothing'

const DATA = 'data:'
const DATA_BYTES = Buffer.from(DATA)
const EVENT_BYTES = Buffer.from('event:')
const SPACE = 0x20
const DATA_LINE = /^data(?::|$)/
/** Fields that the protocol reads. Other lines, such as comments, may say anything. */
const OWN_FIELD = /^(?:event|id|retry):/

export class EventReader {
  readonly scan = new EventScan()
  readonly #form = new EventForm(this.scan)
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
    const alike = this.#form.read(bytes, at, end)
    if (alike > 0) {
      this.to = this.next = alike
      return 'json'
    }
    this.#form.forget()
    // The usual form is read without looking for its end first.
    const data = isAt(bytes, at, EVENT_BYTES) ? nextLine(bytes, at, end) : at
    if (isAt(bytes, data, DATA_BYTES)) {
      const from = data + DATA_BYTES.length
      const json = bytes[from] === SPACE ? from + 1 : from
      if (bytes[json] === OPEN && this.scan.read(bytes, json, end)) {
        const { after } = this.scan
        const line = lineEnd(bytes, after)
        const blank = line === 0 ? 0 : lineEnd(bytes, after + line)
        if (blank > 0) {
          this.to = this.next = after + line + blank
          this.#form.learn(bytes, at, this.to)
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

function isAt(bytes: Buffer, at: number, word: Buffer): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false
  return true
}

/** Where the line after that of `from` begins; `end` where there is none. */
function nextLine(bytes: Buffer, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const length = lineEnd(bytes, at)
    if (length > 0) return at + length
  }
  return end
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
