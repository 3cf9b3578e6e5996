/** What a row of a dataset may look like, whatever file it stands in. */
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { explainZodError } from '../../parse/explain.ts'
import type { JsonObject } from '../../wire/json.ts'
import type { DatasetRow } from './dataset.ts'

export interface RowShape {
  /** A row of this shape, for whoever errs. */
  example: string
  /** Whether it is meant to be one: what is wrong in it is for `read` to say. */
  fits(row: JsonObject): boolean
  /** Undefined for a row in which nobody asks anything. */
  read(row: JsonObject, place: string): DatasetRow | undefined
}

export interface PlacedRow {
  row: JsonObject
  place: string
}

/** A shape whose rows name each other: they are read together. */
export interface FileShape extends Pick<RowShape, 'example' | 'fits'> {
  readAll(rows: readonly PlacedRow[]): DatasetRow[]
}

/** CSV has numbers as texts. */
const numeric = z.union(
  [
    z.number(),
    z
      .string()
      .trim()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
  ],
  'expected a number',
)
export const tokens = numeric.pipe(z.int().min(1, 'must be at least 1').max(2_000_000, 'must be at most 2,000,000'))
export const delayMs = numeric.pipe(z.number().min(0, 'must not be negative').max(86_400_000, 'is more than a day'))

/** Reads a row by its schema, or says what is wrong at which place of it. */
export function parseRow<T extends z.ZodType>(row: JsonObject, schema: T, place: string, example: string): z.output<T> {
  const result = schema.safeParse(row)
  if (result.success) return result.data
  throw new UserError(`${place}: ${explainZodError(result.error, schema).join('; ')}`, `A row is ${example}.`)
}

/** The same for one member of the row. */
export function parseMember<T extends z.ZodType>(
  row: JsonObject,
  name: string,
  schema: T,
  place: string,
  example: string,
): z.output<T> {
  const result = schema.safeParse(row[name])
  if (result.success) return result.data
  // Only now: to make a schema takes longer than to read a row.
  return parseRow(row, z.looseObject({ [name]: schema }), place, example)[name] as z.output<T>
}
