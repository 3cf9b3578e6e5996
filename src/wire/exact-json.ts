/**
 * JSON whose numbers stay as they are written: an id beyond 2^53, or a decimal that no double holds, is kept as its
 * source and written as that again.
 */
import type { JsonObject } from './json.ts'

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown
/** ES2025, for which TypeScript has no types yet. */
interface ExactJson {
  parse(text: string, reviver: Reviver): unknown
  rawJSON(source: string): JsonObject
}
const exact = JSON as unknown as ExactJson
/** Only such a number may be more than a double can hold. */
const LONG_NUMBER = /\d{16}|\d\.\d{15}|\d[eE]/

/** Throws where `text` is no JSON, as JSON.parse does. */
export function parseExact(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text)
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !isExact(value, source) ? exact.rawJSON(source) : value,
  )
}

function isExact(value: number, source: string): boolean {
  return String(value) === source || (Number.isSafeInteger(value) && source.length < 16)
}
