/**
 * The report contracts as JSON Schema, for tools that are not TypeScript. Generated from the zod schemas, kept in
 * fixtures/ (`npm run schema` writes them); a test holds them fresh. That of `kt.bench/1` stands there for old files.
 */
import { z } from 'zod'
import { doctorSchema } from './doctor-schema.ts'
import { planSchema } from './plan-schema.ts'
import { benchReportSchema } from './schema.ts'
import { sweepSchema } from './sweep-schema.ts'

/** File name in fixtures/ -> JSON Schema. */
export function jsonSchemas(): Record<string, object> {
  return {
    'kt.bench.2.schema.json': {
      title: 'kt.bench/2, the report of kt bench',
      ...z.toJSONSchema(benchReportSchema, { reused: 'ref' }),
    },
    'kt.doctor.1.schema.json': z.toJSONSchema(doctorSchema, { reused: 'ref' }),
    'kt.plan.1.schema.json': z.toJSONSchema(planSchema),
    'kt.sweep.1.schema.json': z.toJSONSchema(sweepSchema),
  }
}
