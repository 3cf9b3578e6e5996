/**
 * The form of a stream's last event. A provider sends the same event again and again with another token in it: where an
 * event differs from the one before in the content of free strings alone (see event-scan.ts), a scan would find the
 * same once more, at other positions. Two short loops see that. A stream's tokens come one by one, long after the
 * processor has forgotten what it did for the last one, so that little code counts for more than few steps.
 */
import type { EventScan } from '../../../src/wire/event-scan.ts'
import { ENCODED_FROM } from '../../../src/wire/strings.ts'

/** Events of tokens are far smaller. */
const MOST_BYTES = 2 * 1024

export class EventForm {
  readonly #scan: EventScan
  /** The event: its bytes, none where the next event must be scanned. */
  #bytes = Buffer.alloc(0)
  #length = 0
  /** Where its free strings lie: from, to, from, to, ... */
  readonly #strings: Int32Array
  #count = 0
  /** Where those of the event being compared lie. */
  readonly #found: Int32Array

  constructor(scan: EventScan) {
    this.#scan = scan
    this.#strings = scan.free.slice()
    this.#found = scan.free.slice()
  }

  forget(): void {
    this.#length = 0
  }

  /** The event from `from` to `to` is what was scanned last. */
  learn(bytes: Buffer, from: number, to: number): void {
    const { free, freeCount } = this.#scan
    const length = to - from
    if (length > MOST_BYTES || !this.#isPlain()) return
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(Math.min(MOST_BYTES, 2 * length))
    for (let i = 0; i < length; i++) this.#bytes[i] = bytes[from + i] ?? 0
    for (let i = 0; i < freeCount; i++) this.#strings[i] = (free[i] ?? 0) - from
    this.#length = length
    this.#count = freeCount
  }

  /** Its texts are all that it says, and continue what came before. */
  #isPlain(): boolean {
    const { free, freeCount, logprobs, ends, texts } = this.#scan
    if (texts.length === 0 || freeCount > free.length || logprobs.length > 0 || ends) return false
    for (const { whole, loose } of texts) if (whole || loose) return false
    return true
  }

  /** Where the event at `from` ends, whose texts the scan has now; 0 where it has another form, and must be scanned. */
  read(bytes: Buffer, from: number, end: number): number {
    const length = this.#length
    const form = this.#bytes
    const strings = this.#strings
    const found = this.#found
    const count = this.#count
    let at = from
    let formAt = 0
    for (let i = 0; length > 0; i += 2) {
      const to = i < count ? (strings[i] ?? 0) : length
      for (; formAt < to; formAt++, at++) if (bytes[at] !== form[formAt]) return 0
      if (i >= count) return at <= end && this.#moveTexts() ? at : 0
      found[i] = at
      at = this.#scan.stringEnd(bytes, at, end)
      if (at < 0) return 0
      found[i + 1] = at
      formAt = strings[i + 1] ?? 0
    }
    return 0
  }

  /** False: a text is empty, or so long that it may be encoded data. */
  #moveTexts(): boolean {
    const { free, texts } = this.#scan
    const found = this.#found
    let text = 0
    for (let i = 0; i < this.#count; i += 2) {
      const from = found[i] ?? 0
      const to = found[i + 1] ?? 0
      const one = texts[text]
      // Texts and free strings have the order in which they stand in the event.
      if (one && one.from === free[i]) {
        if (from === to || to - from >= ENCODED_FROM) return false
        one.from = from
        one.to = to
        text++
      }
      free[i] = from
      free[i + 1] = to
    }
    return true
  }
}
