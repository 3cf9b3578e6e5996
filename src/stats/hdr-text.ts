/**
 * The counts of a histogram from its text: HdrHistogram V2, deflated, in base64. The library reads it into an array of
 * every slot up to the highest value, 300 kB for one block of latencies; a fleet hands over hundreds of histograms for
 * each worker, so that its counts are read as they stand here, slot by slot. What writes the text is the library.
 */
import { decompress } from 'hdr-histogram-js/dist/encoding.js'

const COOKIE = 0x1c849303
const HEADER_BYTES = 40
/** Of the cookie: how wide the words of the counts are. */
const WORD_SIZE = 0xf0

export interface HdrCounts {
  digits: number
  /** Its counts: a whole number in zigzag a slot, where a negative one stands for so many empty slots. */
  payload: Uint8Array
}

/** Throws on anything that is not such a text. */
export function readHdrText(text: string): HdrCounts {
  const bytes = decompress(Buffer.from(text, 'base64'))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER_BYTES || (view.getInt32(0) & ~WORD_SIZE) !== COOKIE) throw new Error('not a histogram')
  const end = HEADER_BYTES + view.getInt32(4)
  // Where the smallest value that is told apart is no microsecond, slots are others.
  if (end > bytes.length || view.getBigInt64(16) !== 1n) throw new Error('not a histogram of microseconds')
  return { digits: view.getInt32(12), payload: bytes.subarray(HEADER_BYTES, end) }
}

/** Visits the filled slots, ascending; throws where there are more than `slots`. */
export function eachCount(payload: Uint8Array, slots: number, visit: (slot: number, count: number) => void): void {
  let slot = 0
  for (let at = 0; at < payload.length; ) {
    let byte = payload[at++] ?? 0
    let value = byte & 0x7f
    for (let times = 0x80; byte >= 0x80; times *= 0x80) {
      byte = payload[at++] ?? 0
      value += (byte & 0x7f) * times
      if (value > Number.MAX_SAFE_INTEGER) throw new Error('a count beyond all counts')
    }
    const isRun = value % 2 === 1
    if (!isRun && value > 0) visit(slot, value / 2)
    slot += isRun ? (value + 1) / 2 : 1
    if (slot > slots) throw new Error('more slots than values have')
  }
}
