/** JSON that somebody else wrote: every step says what it takes, and takes nothing for granted. */

export type JsonObject = Record<string, unknown>

/** Undefined for what is no JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** What a JSON string says, given what stands between its quotes: "mod\u0065l" is the key "model". */
export function unescapeJson(written: string): string {
  if (!written.includes('\\')) return written
  try {
    return String(JSON.parse(`"${written}"`))
  } catch {
    return written
  }
}

/** Stands for JSON that nests too deep for JSON.stringify, which recurs where JSON.parse does not. */
const TOO_DEEP = '"(nested too deep)"'

/** The JSON of a parsed value, however deep somebody else nested it. */
export function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return TOO_DEEP
  }
}

/** The objects of a list; none where it is no list. */
export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => asObject(item) !== undefined) : []
}

/** A finite number, or 0. */
export function asNumber(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}
