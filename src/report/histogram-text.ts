/**
 * A histogram as reports have it: HdrHistogram V2, deflated, in base64, which the libraries of HdrHistogram read, with
 * the exact figures that the format lacks.
 */
import { deflateSync, inflateSync } from 'node:zlib'
import { type Digits, Histogram } from '../stats/histogram.ts'

export interface EncodedHistogram {
  hdr: string
  minUs: number
  maxUs: number
  sumUs: number
  negative: number
}

const COOKIE = 0x1c849303
const DEFLATED_COOKIE = 0x1c849304
/** Of a cookie: how wide the words of the counts are; V2 has but one width, and says so. */
const WORD_SIZE = 0xf0
const V2_WORDS = 0x10
const HEADER_BYTES = 40
/** Before the deflated bytes: a cookie, and how many they are. */
const DEFLATED_HEADER_BYTES = 8

export function writeHistogram(histogram: Histogram): EncodedHistogram {
  const { digits, counts, ...figures } = histogram.pack()
  const bytes = Buffer.alloc(HEADER_BYTES + counts.length)
  bytes.writeInt32BE(COOKIE | V2_WORDS, 0)
  bytes.writeInt32BE(counts.length, 4)
  // At 8, by how much slots are moved: they are not.
  bytes.writeInt32BE(digits, 12)
  bytes.writeBigInt64BE(1n, 16)
  bytes.writeBigInt64BE(BigInt(highestUs(histogram)), 24)
  // What an integer stands for.
  bytes.writeDoubleBE(1, 32)
  bytes.set(counts, HEADER_BYTES)
  const deflated = deflateSync(bytes)
  const head = Buffer.alloc(DEFLATED_HEADER_BYTES)
  head.writeInt32BE(DEFLATED_COOKIE | V2_WORDS, 0)
  head.writeInt32BE(deflated.length, 4)
  return { hdr: Buffer.concat([head, deflated]).toString('base64'), ...figures }
}

/** Whoever reads the text makes room up to this value: up to the next power of two. */
function highestUs({ maxUs }: Histogram): number {
  return Math.min(Number.MAX_SAFE_INTEGER, 2 ** (Math.floor(Math.log2(Math.max(2, maxUs))) + 1) - 1)
}

/** Throws on anything that is not an encoded histogram. */
export function readHistogram({ hdr, ...figures }: EncodedHistogram): Histogram {
  const text = Buffer.from(hdr, 'base64')
  if (text.length < DEFLATED_HEADER_BYTES || (text.readInt32BE(0) & ~WORD_SIZE) !== DEFLATED_COOKIE) notOne()
  const bytes = inflateSync(text.subarray(DEFLATED_HEADER_BYTES, DEFLATED_HEADER_BYTES + text.readInt32BE(4)))
  if (bytes.length < HEADER_BYTES || (bytes.readInt32BE(0) & ~WORD_SIZE) !== COOKIE) notOne()
  const end = HEADER_BYTES + bytes.readInt32BE(4)
  const digits = bytes.readInt32BE(12)
  // Where the smallest value that is told apart is no microsecond, slots are others.
  if (end > bytes.length || bytes.readBigInt64BE(16) !== 1n || !isKnown(digits)) notOne()
  return Histogram.unpack({ digits, counts: bytes.subarray(HEADER_BYTES, end), ...figures })
}

function isKnown(digits: number): digits is Digits {
  return digits === 3 || digits === 4
}

function notOne(): never {
  throw new Error('not a histogram of microseconds')
}
