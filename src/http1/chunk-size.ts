/** The line before each chunk, which says how long the chunk is; byte by byte, since it may be cut anywhere. */
import { BadAnswer } from './faults.ts'
import { CR, LF, MOST_HEAD_BYTES } from './section.ts'

const SEMICOLON = 0x3b
const SPACE = 0x20
const TAB = 0x09
const DELETE = 0x7f

/** The value of a hexadecimal digit; -1 for another byte. */
const DIGITS = Int8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte)
  return /[\da-f]/i.test(char) ? Number.parseInt(char, 16) : -1
})

export class ChunkSize {
  value = 0
  /** The line has ended. */
  done = false
  fault: BadAnswer | undefined
  #digits = 0
  /** Extensions of the chunk are passed over; an answer may not hide megabytes in them. */
  #inExtension = false
  #extensionBytes = 0
  #afterReturn = false

  begin(): void {
    this.value = 0
    this.done = false
    this.fault = undefined
    this.#digits = 0
    this.#inExtension = false
    this.#extensionBytes = 0
    this.#afterReturn = false
  }

  /** Reads from `at` on; returns where it stopped. */
  read(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && !this.done) {
      if (!this.#take(bytes[at++] ?? 0)) {
        this.fault = new BadAnswer('the length of a chunk cannot be read')
        break
      }
    }
    return at
  }

  #take(byte: number): boolean {
    if (this.#afterReturn) {
      this.done = true
      return byte === LF
    }
    if (byte === CR) {
      this.#afterReturn = true
      return this.#digits > 0
    }
    if (this.#inExtension) {
      return (byte >= SPACE || byte === TAB) && byte !== DELETE && ++this.#extensionBytes <= MOST_HEAD_BYTES
    }
    const digit = DIGITS[byte] ?? -1
    if (digit < 0) {
      this.#inExtension = true
      return byte === SEMICOLON && this.#digits > 0
    }
    this.#digits++
    this.value = this.value * 16 + digit
    return this.value <= Number.MAX_SAFE_INTEGER
  }
}
