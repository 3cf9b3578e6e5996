/**
 * The provider's stamp `kt1.<nonce>.<attempt>.<us>`: how long the simulated provider itself took, on its own monotonic
 * clock, from the request's last body byte to this write. It travels in `system_fingerprint`, so it passes through
 * gateways that drop headers, and shows a gateway's overhead without trust in the gateway. A gateway that translates
 * between formats may drop that member too: then the stamp in the text counts, where the provider writes one.
 */

export interface Stamp {
  /** Sixteen letters; a foreign nonce means that the answer came from a cache. */
  nonce: string
  /** 1 when the provider saw the nonce for the first time; above 1 the gateway retried. */
  attempt: number
  providerUs: number
}

const STAMP = /^kt1\.([a-z]{16})\.(\d{1,6})\.(\d{1,15})$/
/** The length of `kt1.`. */
const PREFIX = 4
const NONCE_LETTERS = 16
const DOT = 0x2e

export function formatStamp(stamp: Stamp): string {
  return `kt1.${stamp.nonce}.${stamp.attempt}.${Math.round(stamp.providerUs)}`
}

/** The member that a stamp travels in, with a comma before it. `text` is JSON already: the inside of a string. */
export function writeFingerprint(text: string): string {
  return `,"system_fingerprint":"${text}"`
}

export function parseStamp(text: string): Stamp | undefined {
  const match = STAMP.exec(text)
  if (!match?.[1]) return undefined
  return { nonce: match[1], attempt: Number(match[2]), providerUs: Number(match[3]) }
}

/** A text without the stamps that stand in it: they differ each time. */
export function withoutStamps(text: string): string {
  return text.includes('kt1.') ? text.replaceAll(/ ?kt1\.[a-z]{16}\.\d{1,6}\.\d{1,15}/g, '') : text
}

/**
 * The same from bytes and without a regular expression, for the hot path. The stamps of a stream hold the same nonce,
 * so the string `lastNonce` is used again where the bytes equal it.
 */
export function readStamp(bytes: Buffer, start: number, end: number, lastNonce: string): Stamp | undefined {
  // k t 1 .
  if (bytes[start] !== 0x6b || bytes[start + 1] !== 0x74 || bytes[start + 2] !== 0x31 || bytes[start + 3] !== DOT) {
    return undefined
  }
  const nonceEnd = start + PREFIX + NONCE_LETTERS
  let same = lastNonce.length === NONCE_LETTERS
  for (let i = 0; i < NONCE_LETTERS; i++) {
    const byte = bytes[start + PREFIX + i] ?? 0
    if (byte < 0x61 || byte > 0x7a) return undefined
    if (same && byte !== lastNonce.charCodeAt(i)) same = false
  }
  if (bytes[nonceEnd] !== DOT) return undefined
  let dot = nonceEnd + 1
  while (dot < end && bytes[dot] !== DOT) dot++
  const attempt = readDigits(bytes, nonceEnd + 1, dot, 6)
  const providerUs = readDigits(bytes, dot + 1, end, 15)
  if (attempt < 0 || providerUs < 0) return undefined
  return { nonce: same ? lastNonce : bytes.toString('latin1', start + PREFIX, nonceEnd), attempt, providerUs }
}

const START = Buffer.from('kt1.')
const DIGITS = 15

/** The last stamp in a text that is given as JSON; the bytes from `start` to `end`. */
export function stampInText(bytes: Buffer, start: number, end: number, lastNonce: string): Stamp | undefined {
  let found: Stamp | undefined
  for (let at = bytes.indexOf(START, start); at >= 0 && at < end; at = bytes.indexOf(START, at + START.length)) {
    let after = at + PREFIX + NONCE_LETTERS + 1
    const most = Math.min(end, after + 2 * DIGITS)
    while (after < most && isStampByte(bytes[after] ?? 0)) after++
    found = readStamp(bytes, at, after, lastNonce) ?? found
  }
  return found
}

function isStampByte(byte: number): boolean {
  return byte === DOT || (byte >= 0x30 && byte <= 0x39)
}

/** The value of one to `most` decimal digits and nothing else, or -1. */
function readDigits(bytes: Buffer, start: number, end: number, most: number): number {
  if (end - start < 1 || end - start > most) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
