/**
 * Turns what zod refuses into lines a user can act on: the path, what was there, what is expected, and for an unknown
 * key the nearest key that exists at that place.
 */

import { z } from 'zod'
import { didYouMean } from './near.ts'

/** One line an issue: `gateway.connection_pool: unknown key 'max_idle' (did you mean 'max_idle_per_host'?)`. */
export function explainZodError(error: z.ZodError, schema: z.ZodType): string[] {
  return error.issues.flatMap((issue) => explainIssue(issue, schema))
}

function explainIssue(issue: z.core.$ZodIssue, schema: z.ZodType): string[] {
  const place = issue.path.length > 0 ? `${issue.path.map(String).join('.')}: ` : ''
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path)
    return issue.keys.map((key) => {
      const near = didYouMean(key, known)
      const all = known.length > 0 ? ` (known: ${known.join(', ')})` : ''
      return `${place}unknown key '${key}'${near ? ` (did you mean '${near}'?)` : all}`
    })
  }
  return [`${place}${messageOf(issue)}`]
}

/** What zod says of a value, without its own preface. What is not there is missing, and has not been received. */
export function messageOf({ message }: { message: string }): string {
  return message
    .replace(/^Invalid input: /, '')
    .replace(/^expected (.*), received undefined$/, 'is missing, expected $1')
    .replace(/^Invalid option: expected one of (.*)$/, (_, words: string) => {
      return `expected one of ${words.replaceAll('"', '').replaceAll('|', ', ')}`
    })
}

/** The keys that exist where `path` points, seen through defaults, optionals, pipes, arrays and unions. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let places = unwrap(schema)
  for (const step of path) places = places.flatMap((place) => childrenOf(place, step).flatMap(unwrap))
  return [...new Set(places.flatMap((place) => (place instanceof z.ZodObject ? Object.keys(place.shape) : [])))]
}

function childrenOf(schema: z.ZodType, step: PropertyKey): z.ZodType[] {
  if (schema instanceof z.ZodObject) {
    const child = schema.shape[String(step)]
    return child ? [child as z.ZodType] : []
  }
  if (schema instanceof z.ZodArray) return [schema.element as z.ZodType]
  if (schema instanceof z.ZodRecord) return [schema.valueType as z.ZodType]
  return []
}

function unwrap(schema: z.ZodType): z.ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.unwrap() as z.ZodType)
  }
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType)
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => unwrap(option as z.ZodType))
  return [schema]
}
