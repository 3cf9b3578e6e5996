import { hash32, type Random } from '../stats/random.ts'

/** The `Server-Timing` header (W3C): `name;dur=<ms>;desc="…"`, several separated by commas. Durations come back in microseconds. */

const METRIC = /([!#$%&'*+\-.^_`|~\w]+)((?:\s*;\s*[\w-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^;,\s"]*))?)*)/g

const DURATION = /;\s*dur\s*=\s*"?([\d.]+(?:e[+-]?\d+)?)"?/i

/** name -> microseconds, for every metric that has a duration. A name that comes twice keeps the later value. */
export function parseServerTiming(header: string | string[] | undefined): Map<string, number> {
  const durations = new Map<string, number>()
  if (header === undefined) return durations
  for (const match of (Array.isArray(header) ? header.join(', ') : header).matchAll(METRIC)) {
    const ms = Number(DURATION.exec(match[2] ?? '')?.[1] ?? Number.NaN)
    if (match[1] && Number.isFinite(ms)) durations.set(match[1], ms * 1_000)
  }
  return durations
}

/**
 * The nonce at the end of a request's last message: 'kt' and sixteen lowercase letters, no digits (so that no filter takes
 * it for a number), unique (so that nothing is served from a cache by accident). The first eight letters name the run's arm,
 * the last eight are the request's own seed: the simulated provider draws its delays from them alone, so request i costs the
 * same upstream time in every arm and every run with the same --seed.
 */

const LETTERS = 8

/** aa, ab, … zz: every request is named on the hot path. */
const PAIRS = Array.from({ length: 26 * 26 }, (_, i) => String.fromCharCode(97 + Math.floor(i / 26), 97 + (i % 26)))

const NONCE = /\bkt([a-z]{16})\s*$/

/** Eight random letters for one arm of one run. */
export function drawArmTag(random: Random): string {
  return letters(Math.floor(random() * 26 ** LETTERS))
}

/** The sixteen letters of request `index` under `seed`. */
export function buildNonce(tag: string, seed: number, index: number): string {
  return tag + letters(hash32(`${seed}/${index}`) + hash32(`${index}/${seed}`) * 48)
}

/** What is appended to the last message. */
export function nonceWord(nonce: string): string {
  return `kt${nonce}`
}

/** The nonce that ends `text`, if there is one. */
export function findNonce(text: string): string | undefined {
  return NONCE.exec(text)?.[1]
}

/** The request's own seed: equal for the same request in every arm. */
export function seedOfNonce(nonce: string): string {
  return nonce.slice(LETTERS)
}

function letters(value: number): string {
  let rest = value % 26 ** LETTERS
  let text = ''
  for (let i = 0; i < LETTERS; i += 2) {
    text = (PAIRS[rest % PAIRS.length] ?? '') + text
    rest = Math.floor(rest / PAIRS.length)
  }
  return text
}

/**
 * The provider's stamp `kt1.<nonce>.<attempt>.<us>`: how long the simulated provider itself took, on its own monotonic
 * clock, from the request's last body byte to this write. It travels in `system_fingerprint`, through gateways that drop
 * headers, and makes a gateway's overhead readable without trusting the gateway.
 */

export interface Stamp {
  /** Sixteen letters; a foreign one means that the answer came from a cache. */
  nonce: string
  /** 1 for the first time the provider saw the nonce; above 1 the gateway retried. */
  attempt: number
  providerUs: number
}

const STAMP = /^kt1\.([a-z]{16})\.(\d{1,6})\.(\d{1,15})$/

export function formatStamp(stamp: Stamp): string {
  return `kt1.${stamp.nonce}.${stamp.attempt}.${Math.round(stamp.providerUs)}`
}

export function parseStamp(text: string): Stamp | undefined {
  const match = STAMP.exec(text)
  if (!match?.[1]) return undefined
  return { nonce: match[1], attempt: Number(match[2]), providerUs: Number(match[3]) }
}

/** The same from bytes, and without a search: `nonce` is the one last seen, taken over where it is the same. */
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
  const attempt = digits(bytes, nonceEnd + 1, dot, 6)
  const providerUs = digits(bytes, dot + 1, end, 15)
  if (attempt < 0 || providerUs < 0) return undefined
  return { nonce: same ? lastNonce : bytes.toString('latin1', start + PREFIX, nonceEnd), attempt, providerUs }
}

const PREFIX = 4

const NONCE_LETTERS = 16

const DOT = 0x2e

/** One to `most` decimal digits and nothing else, or -1. */
function digits(bytes: Buffer, start: number, end: number, most: number): number {
  if (end - start < 1 || end - start > most) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
