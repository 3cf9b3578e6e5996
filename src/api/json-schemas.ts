/**
 * The formats that kt writes as JSON Schema, for tools that are not TypeScript. Generated from the zod schemas, kept in
 * fixtures/ (`npm run docs` writes them), shipped in the package; a test holds them fresh and described. That of
 * `kt.bench/1` stands there for old files.
 */
import { z } from 'zod'
import { fitSchema } from '../fit/fit-provider.ts'
import { cacheClearReport, cacheStatsReport, eventStatsSchema, gatewayCheckSchema } from '../gateway-cli/answers.ts'
import { cassetteLine } from '../provider/cassette/cassette.ts'
import { compareSchema } from '../report/compare-schema.ts'
import { doctorSchema } from '../report/doctor-schema.ts'
import { fleetStatusSchema } from '../report/fleet-schema.ts'
import { historySchema } from '../report/history-schema.ts'
import { planSchema } from '../report/plan-schema.ts'
import { buffersSchema, instancesSchema, planCheckResultSchema } from '../report/planning-schemas.ts'
import { dryRunSchema, exchangeSchema } from '../report/preview.ts'
import { sampleSchema } from '../report/sample-schema.ts'
import { benchReportSchema } from '../report/schema.ts'
import { sensitivitySchema } from '../report/sensitivity-schema.ts'
import { profilesSchema } from '../report/shipped-file.ts'
import { simulationSchema } from '../report/simulation-schema.ts'
import { sloJudgementSchema } from '../report/slo-schema.ts'
import { sweepSchema } from '../report/sweep-schema.ts'
import { eventSchema } from '../wire/gateway-event.ts'

/** By the name of the format: its schema. A line of NDJSON does not name its format. */
export const FORMATS: Readonly<Record<string, z.ZodType>> = {
  'kt.bench/2': benchReportSchema.describe('kt bench: the report of a run'),
  'kt.sample/1': sampleSchema,
  'kt.dry-run/1': dryRunSchema,
  'kt.exchange/1': exchangeSchema,
  'kt.compare/1': compareSchema,
  'kt.sweep/1': sweepSchema.describe('kt bench sweep: the measured levels of load'),
  'kt.history/1': historySchema,
  'kt.slo/1': sloJudgementSchema,
  'kt.doctor/1': doctorSchema,
  'kt.plan/1': planSchema,
  'kt.plan.instances/1': instancesSchema,
  'kt.plan.buffers/1': buffersSchema,
  'kt.plan.sensitivity/1': sensitivitySchema,
  'kt.plan.check/1': planCheckResultSchema,
  'kt.plan.simulation/1': simulationSchema,
  'kt.fleet.status/1': fleetStatusSchema,
  'kt.profiles/1': profilesSchema,
  'kt.gateway.check/1': gatewayCheckSchema,
  'kt.cache.stats/1': cacheStatsReport,
  'kt.cache.clear/1': cacheClearReport,
  'kt.events.stats/1': eventStatsSchema,
  'kt.cassette/1': cassetteLine,
  'kt.provider.fit/1': fitSchema,
  'kt.event/1': eventSchema.describe('a line of kt events tail --json and of the event file: one request'),
}

/** File name in fixtures/ -> JSON Schema. Its `$id` is a name and no address: the file comes with kt. */
export function jsonSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(FORMATS).map(([format, schema]) => [
      schemaFile(format),
      { $id: schemaId(format), title: format, ...z.toJSONSchema(schema) },
    ]),
  )
}

/** 'kt.bench/2' -> 'kt.bench.2.schema.json' */
function schemaFile(format: string): string {
  return `${format.replace('/', '.')}.schema.json`
}

export function schemaId(format: string): string {
  return `urn:kt-bench:${format.replace('/', ':')}`
}
