/**
 * Finds where text lies in the bytes of one event of a stream. The usual form, one line of JSON, is scanned in place.
 * Every other form (several data lines, comments, other fields, no JSON) is rewritten to that form, or is opaque.
 */
import { EventScan } from '../../../src/wire/event-scan.ts'
import { isEndMark, SseReader } from '../../../src/wire/sse.ts'

/** The kind of an event; `scan` holds the rest. */
type EventKind = 'json' | 'opaque' | 'nothing'

const DATA = 'data:'
const DATA_LINE = /^data(?::|$)/

export class EventReader {
  readonly scan = new EventScan()
  /** The bytes that positions refer to: the given bytes, or a rewritten event. */
  bytes: Buffer = Buffer.alloc(0)
  from = 0
  to = 0
  /** Where the data of an opaque event lies. */
  dataFrom = 0
  dataTo = 0

  /** Reads the event at `at`, of events that end at `end`. Afterwards the next event begins at `next`. */
  next = 0

  read(bytes: Buffer, at: number, end: number): EventKind {
    this.bytes = bytes
    this.from = at
    // The usual form is read without looking for its end first.
    if (bytes[at] === 0x64 && bytes[at + 1] === 0x61 && bytes[at + 2] === 0x74 && bytes[at + 3] === 0x61) {
      const json = bytes[at + 5] === 0x20 ? at + 6 : at + 5
      if (bytes[at + 4] === 0x3a && bytes[json] === 0x7b && this.scan.read(bytes, json, end)) {
        const after = this.scan.after
        if (bytes[after] === 10 && bytes[after + 1] === 10) {
          this.to = this.next = after + 2
          return 'json'
        }
      }
    }
    return this.#readOther(bytes, at, end)
  }

  #readOther(bytes: Buffer, at: number, end: number): EventKind {
    const blank = bytes.indexOf('\n\n', at)
    this.to = this.next = blank < 0 ? end : blank + 2
    const event = bytes.subarray(at, this.to)
    const lines = event.toString('utf8').split('\n')
    const others = lines.filter((line) => line !== '' && !DATA_LINE.test(line))
    const text = lines.some((line) => DATA_LINE.test(line)) ? dataOf(event).replaceAll('\n', ' ') : ''
    if (text === '' || isEndMark(text)) return 'nothing'
    const head = others.map((line) => `${line}\n`).join('')
    this.bytes = Buffer.from(`${head}${DATA} ${text}\n\n`)
    this.from = 0
    this.to = this.bytes.length
    this.dataFrom = Buffer.byteLength(head) + DATA.length + 1
    this.dataTo = this.to - 2
    const whole = this.scan.read(this.bytes, this.dataFrom, this.dataTo) && this.scan.after === this.dataTo
    return whole ? 'json' : 'opaque'
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
