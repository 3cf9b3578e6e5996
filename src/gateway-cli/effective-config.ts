/**
 * What a config file comes to, in its own keys and words: what was given, and the schema's default where nothing was. Secrets are
 * masked, references to the environment are not: they name a secret and do not hold it.
 */
import { z } from 'zod'

/** A value of the file, and whether it was given there. */
export type Effective =
  | { kind: 'value'; value: unknown; given: boolean }
  | { kind: 'list'; items: Effective[]; given: boolean }
  | { kind: 'map'; entries: [string, Effective][]; given: boolean }

const MASK = '***'
const REFERENCE = /^\$\{\w+\}$/

/** `given` has been accepted by `schema`; values of the schemas in `secrets` are masked. */
export function effectiveValue(schema: z.ZodType, given: unknown, secrets: ReadonlySet<z.ZodType>): Effective {
  return walk(schema, given, given !== undefined, secrets)
}

/** As JSON: keys that are unset are left out. */
export function plain(effective: Effective): unknown {
  if (effective.kind === 'value') return effective.value
  if (effective.kind === 'list') return effective.items.map(plain)
  return Object.fromEntries(effective.entries.map(([key, value]) => [key, plain(value)]))
}

function walk(schema: z.ZodType, raw: unknown, given: boolean, secrets: ReadonlySet<z.ZodType>): Effective {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const inner = schema.unwrap() as z.ZodType
    return raw === undefined ? walk(inner, schema.def.defaultValue, false, secrets) : walk(inner, raw, given, secrets)
  }
  if (schema instanceof z.ZodOptional) return walk(schema.unwrap() as z.ZodType, raw, given, secrets)
  if (schema instanceof z.ZodPipe) return walk(schema.in as z.ZodType, raw, given, secrets)
  if (schema instanceof z.ZodObject && isRecord(raw)) {
    const entries = Object.entries(schema.shape).map(([key, child]): [string, Effective] => [
      key,
      walk(child as z.ZodType, raw[key], given && raw[key] !== undefined, secrets),
    ])
    return { kind: 'map', entries: entries.filter(([, value]) => isSet(value)), given }
  }
  if (schema instanceof z.ZodRecord && isRecord(raw)) {
    const entries = Object.entries(raw).map(([key, value]): [string, Effective] => [
      key,
      walk(schema.valueType as z.ZodType, value, given, secrets),
    ])
    return { kind: 'map', entries, given }
  }
  if (schema instanceof z.ZodArray && Array.isArray(raw)) {
    return { kind: 'list', items: raw.map((item) => walk(schema.element as z.ZodType, item, given, secrets)), given }
  }
  return { kind: 'value', value: shown(raw, secrets.has(schema)), given }
}

function shown(raw: unknown, secret: boolean): unknown {
  if (typeof raw !== 'string' || REFERENCE.test(raw)) return raw
  // A URL may hold a password (redis://user:password@host).
  return secret ? MASK : raw.replace(/(:\/\/[^/:@]*):[^/@]+@/, `$1:${MASK}@`)
}

function isSet(effective: Effective): boolean {
  return effective.kind !== 'value' || effective.value !== undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
