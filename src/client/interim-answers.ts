/**
 * A server may send interim answers (1xx) before the one that counts, asked for or not (RFC 9110, 15.2). undici passes
 * over all of them but 100, which it takes for a fault: so a 100 is made a 102 on its way. Only the heads of interim
 * answers are looked at, and one byte of the answer that counts.
 */

/** Where the status stands in `HTTP/1.1 100 Continue`. */
const STATUS_AT = 9
const ONE = 0x31
const ZERO = 0x30
const TWO = 0x32
const LINE_END = 0x0a
const RETURN = 0x0d

export class InterimAnswers {
  /** How many bytes of the head have passed; -1 once no interim answer can come. */
  #at = -1
  /** So far the status reads as the beginning of 100. */
  #is100 = false
  /** The latest byte ended a line. */
  #lineEnded = false

  /** A request is sent: the next bytes are the head of an answer. */
  expectAnswer(): void {
    this.#at = 0
    this.#lineEnded = false
  }

  /** Whether any byte of the head has passed. */
  get begun(): boolean {
    return this.#at !== 0
  }

  /** Sees bytes of an answer before they are parsed, and may change one. */
  pass(bytes: Buffer): void {
    if (this.#at < 0) return
    // The usual case.
    if (this.#at === 0 && bytes.length > STATUS_AT && bytes[STATUS_AT] !== ONE) this.#at = -1
    for (let i = 0; this.#at >= 0 && i < bytes.length; i++) this.#passByte(bytes, i)
  }

  #passByte(bytes: Buffer, i: number): void {
    const byte = bytes[i]
    const at = this.#at++
    if (at === STATUS_AT) {
      this.#is100 = byte === ONE
      if (!this.#is100) this.#at = -1
    } else if (at === STATUS_AT + 1) this.#is100 &&= byte === ZERO
    else if (at === STATUS_AT + 2 && this.#is100 && byte === ZERO) bytes[i] = TWO
    else if (byte === LINE_END) {
      // An empty line ends the head, and another head begins.
      if (this.#lineEnded) this.expectAnswer()
      else this.#lineEnded = true
    } else if (byte !== RETURN) this.#lineEnded = false
  }
}
