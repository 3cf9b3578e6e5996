/**
 * zod types for quantities with units, as flags ('7ms', '80M'), YAML files and the gateway's config give them: a number
 * or such a string.
 */
import { z } from 'zod'
import { failure, type Result, success } from '../errors.ts'
import { parseBytes, parseCount, parseDurationMs, parseShare } from '../units.ts'

/** The longest that a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1

type Parser = (text: string) => number | undefined

/** A type whose text `parse` reads. Where it cannot, it says why, and what to write instead. */
export function parsedBy<T>(parse: (text: string) => Result<T>, expected = 'text'): z.ZodType<T, string | number> {
  return z.union([z.string(), z.number()], { error: `expected ${expected}` }).transform((raw, context) => {
    const parsed = parse(String(raw))
    if (parsed.ok) return parsed.value
    context.addIssue({ code: 'custom', message: parsed.why, params: { next: parsed.next } })
    return z.NEVER
  })
}

/** A word with a meaning of its own, or what `type` reads; where it is neither, `type` says why. */
export function wordOr<const W extends string, T>(
  word: W,
  type: z.ZodType<T, string | number>,
): z.ZodType<W | T, string | number> {
  return parsedBy((text): Result<W | T> => {
    if (text === word) return success(word)
    const parsed = type.safeParse(text)
    return parsed.success ? success(parsed.data) : failure(`${parsed.error.issues[0]?.message} (or '${word}')`)
  })
}

function quantity(
  parse: Parser,
  what: string,
  accepts: (value: number) => boolean,
  rule: string,
  units: readonly string[] = [],
): z.ZodType<number, string | number> {
  return z.union([z.string(), z.number()], { error: `expected ${what}` }).transform((raw, context) => {
    const value = parse(String(raw))
    if (value !== undefined && accepts(value)) return value
    const isNumber = value !== undefined || /^-\s*[\d.]/.test(String(raw))
    const why = isNumber
      ? `${rule}, not ${raw}`
      : `'${raw}' is not ${what}${parse === parseCount ? slip(String(raw)) : ''}`
    const bare = /^\s*[\d.]+\s*$/.test(String(raw)) && !isNumber
    const meant = bare ? units.map((unit) => `${String(raw).trim()}${unit}`) : []
    const params = meant.length > 0 ? { params: { next: `Did you mean ${meant.join(' or ')}?` } } : {}
    context.addIssue({ code: 'custom', message: why, ...params })
    return z.NEVER
  })
}

/** What is likely meant where a count was to be. */
function slip(text: string): string {
  if (/^[\d.]+m$/.test(text)) return ' (a million is M)'
  return parseBytes(text) === undefined ? '' : ' (it is a size in bytes)'
}

/** '300s', '7ms', '1m' -> milliseconds, above zero. */
export const durationMs = quantity(
  parseDurationMs,
  "a duration such as '500ms', '30s' or '5m'",
  (ms) => ms > 0,
  'must be above 0',
  ['s'],
)

/** '7ms' -> milliseconds, above zero, where a number alone would be milliseconds. */
export const limitMs = quantity(
  parseDurationMs,
  "a duration such as '7ms' or '0.5s'",
  (ms) => ms > 0,
  'must be above 0',
  ['ms'],
)

/** The same, for a timer: whole milliseconds. */
export const timerMs = quantity(
  parseDurationMs,
  "a duration such as '300s' or '100ms'",
  (ms) => ms >= 1 && ms <= MAX_TIMER_MS,
  'must be from 1ms to 24d',
  ['s'],
).transform(Math.round)

/** '300s' -> 300000 milliseconds, 0 allowed. */
export const durationOrZeroMs = quantity(
  parseDurationMs,
  "a duration such as '15ms' or '0'",
  (ms) => ms >= 0,
  'must not be negative',
  ['ms', 's'],
)

/** '100', '10k' -> a whole number of at least 1. */
export const positiveCount = quantity(
  parseCount,
  "a count such as '100' or '10k'",
  (count) => count >= 1 && Number.isSafeInteger(count),
  'must be a whole number of at least 1',
)

/** '0', '200' -> a whole number of at least 0. */
export const countOrZero = quantity(
  parseCount,
  "a count such as '0' or '200'",
  (count) => count >= 0 && Number.isSafeInteger(count),
  'must be a whole number of at least 0',
)

/** '100', '0.5', '2k' -> a rate above zero. */
export const positiveRate = quantity(parseCount, "a rate such as '100' or '0.5'", (rate) => rate > 0, 'must be above 0')

/** '80M', '4.5' -> any number above zero. */
export const positiveNumber = quantity(
  parseCount,
  "a number such as '250', '4.5' or '80M'",
  (value) => value > 0,
  'must be above 0',
)

/** '0', '700' -> any number, zero or above. */
export const numberOrZero = quantity(
  parseCount,
  "a number such as '0', '4.5' or '80M'",
  (value) => value >= 0,
  'must not be negative',
)

/** '41002' -> a TCP port; 0 lets the system choose. */
export const port = quantity(
  parseCount,
  "a port such as '41002'",
  (number) => Number.isInteger(number) && number >= 0 && number <= 65_535,
  'must be a whole number from 0 to 65535',
)

/** '1', '-5' -> a whole number of either sign. */
export const wholeNumber = quantity(
  (text) => (/^[+-]?\d+$/.test(text.trim()) ? Number(text) : undefined),
  "a whole number such as '1'",
  Number.isSafeInteger,
  'must be a whole number',
)

/** '4KB', '1MiB' -> bytes, at least 1. */
export const bytes = quantity(
  parseBytes,
  "a size such as '4KB' or '1MiB'",
  (size) => size >= 1,
  'must be at least 1 byte',
)

/** '64KiB' -> bytes, at least 1; '64' alone could be any unit, and is refused. */
export const bytesWithUnit = quantity(
  (text) => (/[a-z]/i.test(text) ? parseBytes(text) : undefined),
  "a size with its unit such as '64KiB' or '1MiB'",
  (size) => size >= 1,
  'must be at least 1 byte',
)

/** '1%', '0.01' -> a part of one, from 0 to 1. */
export const share = quantity(
  parseShare,
  "a share such as '1%' or '0.01'",
  (part) => part >= 0,
  'must be from 0 to 1 (or 0% to 100%)',
)
