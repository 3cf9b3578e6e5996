/**
 * Times as traces write them: '2023-11-16 18:17:03.9799600' (taken as UTC), with 'T', 'Z' or an offset, or a number.
 * Stamps are read from bytes, since a trace has one in every row.
 */
import { traceFault } from './row.ts'

const SECOND_US = 1_000_000
const DAY_US = 86_400 * SECOND_US
const [ZERO, NINE, DASH, PLUS, COLON, DOT, BLANK, T, Z] = [...'09-+:. TZ'].map((char) => char.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]

const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

let lastDay = -1
let lastDayUs = 0

/** The microseconds of the stamp in `bytes` from `from` to `to`; NaN where none stands there. */
export function stampUs(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 19 || bytes[from + 4] !== DASH || bytes[from + 7] !== DASH) return Number.NaN
  const between = bytes[from + 10]
  if ((between !== BLANK && between !== T) || bytes[from + 13] !== COLON || bytes[from + 16] !== COLON)
    return Number.NaN
  const hour = digits(bytes, from + 11, from + 13)
  const minute = digits(bytes, from + 14, from + 16)
  const second = digits(bytes, from + 17, from + 19)
  // A leap second is that of the next minute.
  if (!(hour < 24 && minute < 60 && second < 61)) return Number.NaN
  const dayUs = dayAt(
    digits(bytes, from, from + 4),
    digits(bytes, from + 5, from + 7),
    digits(bytes, from + 8, from + 10),
  )
  let at = from + 19
  let fraction = 0
  if (bytes[at] === DOT) {
    let scale = SECOND_US / 10
    for (at++; at < to && isDigit(bytes[at]); at++, scale /= 10) fraction += ((bytes[at] ?? ZERO) - ZERO) * scale
  }
  return dayUs + ((hour * 60 + minute) * 60 + second) * SECOND_US + fraction - offsetUs(bytes, at, to)
}

/** Seconds as digits with a fraction, in microseconds; NaN where anything else stands there. */
export function secondsUs(bytes: Uint8Array, from: number, to: number): number {
  let whole = 0
  let at = from
  for (; at < to && isDigit(bytes[at]); at++) whole = whole * 10 + ((bytes[at] ?? ZERO) - ZERO)
  if (at === from || at - from > 12) return Number.NaN
  if (at === to) return whole * SECOND_US
  if (bytes[at] !== DOT || at + 1 === to) return Number.NaN
  let fraction = 0
  let scale = SECOND_US / 10
  for (at++; at < to; at++, scale /= 10) {
    if (!isDigit(bytes[at])) return Number.NaN
    fraction += ((bytes[at] ?? ZERO) - ZERO) * scale
  }
  return whole * SECOND_US + fraction
}

/** The unit of a time that is a plain number. */
export type TimeUnit = 's' | 'ms' | 'ns'

const UNIT_US: Record<TimeUnit, number> = { s: SECOND_US, ms: 1_000, ns: 1 / 1_000 }

/** The time in a field of text or a member of an object, or a fault. */
export function timeOf(value: unknown, unit: TimeUnit, path: string, line: number, column: string): number {
  const given = typeof value === 'string' ? value.trim() : value
  if (given === undefined || given === null || given === '') {
    throw traceFault(path, line, 'the time is missing', column)
  }
  if (typeof given === 'string') {
    const bytes = Buffer.from(given)
    const us = stampUs(bytes, 0, bytes.length)
    if (!Number.isNaN(us)) return us
  }
  const number = typeof given === 'string' || typeof given === 'number' ? Number(given) : Number.NaN
  if (Number.isFinite(number) && number >= 0) return number * UNIT_US[unit]
  const shown = typeof given === 'string' ? `'${given.slice(0, 40)}'` : JSON.stringify(given).slice(0, 40)
  const names = { s: 'seconds', ms: 'milliseconds', ns: 'nanoseconds' }
  throw traceFault(path, line, `${shown} is not a time (2023-11-16 18:17:03.97, or ${names[unit]})`, column)
}

/** Whole rows share their day, so it is looked up once. */
function dayAt(year: number, month: number, day: number): number {
  const key = (year * 16 + month) * 32 + day
  if (key === lastDay) return lastDayUs
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= (DAYS_OF_MONTH[month - 1] ?? 0))) return Number.NaN
  const us = (Date.UTC(year, month - 1, day) / 86_400_000) * DAY_US
  if (new Date(us / 1_000).getUTCDate() !== day) return Number.NaN
  lastDay = key
  lastDayUs = us
  return us
}

/** 'Z', '+02:00', '-0730' or nothing; NaN for anything else. */
function offsetUs(bytes: Uint8Array, from: number, to: number): number {
  if (from === to || (bytes[from] === Z && from + 1 === to)) return 0
  const sign = bytes[from] === PLUS ? 1 : bytes[from] === DASH ? -1 : Number.NaN
  const colon = bytes[from + 3] === COLON ? 1 : 0
  if (to - from !== 5 + colon) return Number.NaN
  const minutes = digits(bytes, from + 1, from + 3) * 60 + digits(bytes, from + 3 + colon, to)
  return sign * minutes * 60 * SECOND_US
}

function digits(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    if (!isDigit(bytes[at])) return Number.NaN
    value = value * 10 + ((bytes[at] ?? ZERO) - ZERO)
  }
  return value
}

function isDigit(byte = 0): boolean {
  return byte >= ZERO && byte <= NINE
}

/** How long it was until a time that a row may have; undefined where it has none, or one before its beginning. */
export function lastedUs(atUs: number, value: unknown, unit: TimeUnit): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const bytes = Buffer.from(String(value))
  const stamp = stampUs(bytes, 0, bytes.length)
  const us = (Number.isNaN(stamp) ? Number(value) * UNIT_US[unit] : stamp) - atUs
  return us > 0 ? us : undefined
}

/** A duration in milliseconds that a row may have. */
export function msToUs(value: unknown): number | undefined {
  const ms = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN
  return ms > 0 && Number.isFinite(ms) ? ms * 1_000 : undefined
}
