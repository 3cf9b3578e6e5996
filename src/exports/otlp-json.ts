/**
 * The parts of OTLP that kt sends, in its JSON mapping (OTLP 1.x): 64-bit numbers are strings, ids are hexadecimal,
 * enumerations are numbers.
 */

type Value = { stringValue: string } | { intValue: string } | { doubleValue: number } | { boolValue: boolean }

export interface KeyValue {
  key: string
  value: Value
}

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** What is undefined is left out. */
export function attributesOf(attributes: Attributes): KeyValue[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: toValue(value) }],
  )
}

function toValue(value: string | number | boolean): Value {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

/** Nanoseconds of the Unix epoch. */
export function unixNano(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n)
}
