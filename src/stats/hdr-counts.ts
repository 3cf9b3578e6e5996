/**
 * The counts of a histogram as HdrHistogram V2 has them in its payload: slot by slot a whole number in zigzag and
 * LEB128, where a negative one stands for so many empty slots. They are read and written as they stand here: a fleet
 * hands over hundreds of histograms for each worker, and an array of every slot up to the highest value has 300 kB.
 */

/** Of one number, at most. */
const NUMBER_BYTES = 9
let scratch = new Uint8Array(4_096)

/** Of the filled slots, which `each` visits in rising order. */
export function packCounts(each: (visit: (slot: number, count: number) => void) => void): Uint8Array<ArrayBuffer> {
  let [at, next] = [0, 0]
  const put = (zigzag: number): void => {
    if (at + NUMBER_BYTES > scratch.length) {
      const larger = new Uint8Array(2 * scratch.length)
      larger.set(scratch)
      scratch = larger
    }
    let left = zigzag
    for (; left >= 0x80; left = Math.floor(left / 0x80)) scratch[at++] = (left % 0x80) + 0x80
    scratch[at++] = left
  }
  each((slot, count) => {
    const empty = slot - next
    if (empty > 0) put(empty === 1 ? 0 : 2 * empty - 1)
    put(2 * count)
    next = slot + 1
  })
  // An empty histogram has its first slot.
  if (at === 0) put(0)
  return scratch.slice(0, at)
}

/** Goes through the filled slots, ascending; throws where there are more than `slots`. */
export class CountsReader {
  slot = -1
  count = 0
  readonly #bytes: Uint8Array
  readonly #slots: number
  #at = 0
  #next = 0

  constructor(bytes: Uint8Array, slots: number) {
    this.#bytes = bytes
    this.#slots = slots
  }

  /** Whether there was another one: `slot` and `count` are of it then. */
  next(): boolean {
    while (this.#at < this.#bytes.length) {
      const first = this.#bytes[this.#at++] ?? 0
      const value = first < 0x80 ? first : this.#rest(first)
      const isRun = value % 2 === 1
      const slot = this.#next
      this.#next += isRun ? (value + 1) / 2 : 1
      if (this.#next > this.#slots) throw new Error('more slots than values have')
      if (isRun || value === 0) continue
      this.slot = slot
      this.count = value / 2
      return true
    }
    return false
  }

  /** The whole number that begins with this byte. */
  #rest(first: number): number {
    let [byte, value] = [first, first & 0x7f]
    for (let times = 0x80; byte >= 0x80; times *= 0x80) {
      byte = this.#bytes[this.#at++] ?? 0
      value += (byte & 0x7f) * times
      if (value > Number.MAX_SAFE_INTEGER) throw new Error('a count beyond all counts')
    }
    return value
  }
}
