/** From a file that kt wrote to its document. */
import type { z } from 'zod'
import { UserError } from '../errors.ts'
import { parseWith } from '../parse/file.ts'
import { COMPARE_SCHEMA, compareSchema } from '../report/compare-schema.ts'
import { DOCTOR_SCHEMA, doctorSchema } from '../report/doctor-schema.ts'
import { HISTORY_SCHEMA, historySchema } from '../report/history-schema.ts'
import { PLAN_SCHEMA, planSchema } from '../report/plan-schema.ts'
import { readResult, toReport } from '../report/read.ts'
import { SWEEP_SCHEMA, sweepSchema } from '../report/sweep-schema.ts'
import { reportDocument } from './bench-document.ts'
import { compareDocument } from './compare-document.ts'
import type { Document } from './document.ts'
import { doctorDocument, historyDocument, planDocument, sweepDocument } from './documents.ts'

interface Readable {
  read(value: unknown, path: string): Document
}

function readable<T>(schema: z.ZodType<T>, toDocument: (value: T) => Document): Readable {
  return { read: (value, path) => toDocument(parseWith(value, schema, path, 'report')) }
}

/** By the format that a file names. What names no other one is taken for the report of a run. */
const READABLE: Readonly<Record<string, Readable>> = {
  [SWEEP_SCHEMA]: readable(sweepSchema, sweepDocument),
  [PLAN_SCHEMA]: readable(planSchema, planDocument),
  [HISTORY_SCHEMA]: readable(historySchema, historyDocument),
  [DOCTOR_SCHEMA]: readable(doctorSchema, doctorDocument),
  [COMPARE_SCHEMA]: readable(compareSchema, (comparison) => compareDocument(comparison)),
}

export function readDocument(path: string): Document {
  const { schema, value } = readResult(path)
  const known = schema === undefined ? undefined : READABLE[schema]
  if (known) return known.read(value, path)
  if (schema !== undefined && !schema.startsWith('kt.bench/')) {
    throw new UserError(
      `${path}: a ${schema.slice(0, 60)} has no page`,
      `A page can be made of kt.bench/2, ${Object.keys(READABLE).join(', ')}.`,
    )
  }
  return reportDocument(toReport(value, path))
}
