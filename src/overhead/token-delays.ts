/**
 * What a gateway adds to each token of a stream, by the provider's stamps, in two parts: the delay, and the hold. A
 * token is held where it leaves only when a later one is there: by a look-ahead of one event, a buffer, a flush
 * interval. From outside it shows by cause: it came after the next token had been written, though the stream as a whole
 * is not that late. A delay that every token has, the last and the end too, is no hold, however long it is.
 */

const FIRST_LENGTH = 64
/** What comes within this share of the time between two writes comes in one piece with the one before. */
const ONE_PIECE = 0.25

export class TokenDelays {
  count = 0
  #came = new Float64Array(0)
  #written = new Float64Array(0)

  /** Another stream begins. */
  begin(): void {
    this.count = 0
  }

  /** The next token: when it came, and when the provider wrote it, both from the request on. */
  add(cameUs: number, writtenUs: number): void {
    if (this.count === this.#came.length) this.#grow()
    this.#came[this.count] = cameUs
    this.#written[this.count] = writtenUs
    this.count++
  }

  /** Both parts of each token, in their order; `endUs` is what was added until the end of the answer. */
  split(endUs: number, each: (delayUs: number, holdUs: number, index: number) => void): void {
    const { count } = this
    const leastUs = Math.max(0, Math.min(endUs, this.#leastAdded()))
    // Half of a gap is what jitter may do without a token being told for the next one.
    const spreadUs = this.#writtenAt(count - 1) - this.#writtenAt(0)
    const slackUs = count > 1 ? spreadUs / (count - 1) / 2 : 0
    let heldBefore = false
    for (let i = 0; i < count; i++) {
      const cameUs = this.#came[i] ?? 0
      const addedUs = Math.max(0, cameUs - this.#writtenAt(i))
      const thereUs = Math.min(cameUs, cameUs - leastUs + slackUs)
      const nextCame = i + 1 < count && this.#writtenAt(i + 1) > this.#writtenAt(i) && this.#writtenAt(i + 1) <= thereUs
      const held: boolean = nextCame || (heldBefore && this.#cameWithOneBefore(i))
      const delayUs = held ? Math.min(leastUs, addedUs) : addedUs
      each(delayUs, addedUs - delayUs, i)
      heldBefore = held
    }
  }

  #cameWithOneBefore(i: number): boolean {
    const gapUs = (this.#came[i] ?? 0) - (this.#came[i - 1] ?? 0)
    return gapUs <= ONE_PIECE * (this.#writtenAt(i) - this.#writtenAt(i - 1))
  }

  #writtenAt(i: number): number {
    return this.#written[i] ?? 0
  }

  #leastAdded(): number {
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.count; i++) least = Math.min(least, (this.#came[i] ?? 0) - this.#writtenAt(i))
    return least
  }

  #grow(): void {
    const length = Math.max(FIRST_LENGTH, 2 * this.#came.length)
    const [came, written] = [new Float64Array(length), new Float64Array(length)]
    came.set(this.#came)
    written.set(this.#written)
    this.#came = came
    this.#written = written
  }
}
