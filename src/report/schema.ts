/**
 * The report contract `kt.bench/2`, defined once: the TypeScript types and fixtures/kt.bench.2.schema.json follow
 * from it. Keys are camelCase with the unit in the name. Durations are milliseconds; histograms hold integer
 * microseconds.
 *
 * A report holds what all arms of a run share, and the list of its arms. The first arm is the one that the run is
 * about: gate, SLO and categories are its own. The baseline, where there is one, is marked, and is never the first.
 */
import { z } from 'zod'
import { ARRIVAL_KINDS } from '../schedule/arrivals.ts'
import type { agreementSchema } from './agreement-schema.ts'
import { armSchema, type overheadSchema } from './arm-schema.ts'
import {
  clientSchema,
  count,
  type definitionSchema,
  type distributionSchema,
  histogramSchema,
  ms,
  type outcomesSchema,
  type verdictSchema,
} from './fields.ts'
import { type checkSchema, gateSchema, interimAnalysesSchema, noiseSchema, sloSchema } from './verdict-schema.ts'

export const REPORT_SCHEMA = 'kt.bench/2'

export const benchReportSchema = z
  .strictObject({
    schema: z.literal(REPORT_SCHEMA),
    kt: z.strictObject({ version: z.string(), gitSha: z.string().nullable() }),
    startedAt: z.iso.datetime(),
    command: z.string(),
    interrupted: z.boolean(),
    aborted: z
      .strictObject({
        rule: z.string().describe('the condition of --abort-on'),
        arm: z.string(),
        requests: count.describe('of this arm when it was sure'),
        over: count.describe('of these, the requests that failed, or were over the limit'),
      })
      .optional()
      .describe('the run was ended early: its figures are those of a part of it'),
    tookS: z
      .number()
      .optional()
      .describe('from the start to the verdict, with warm-up, the other arm, draining and the floor'),
    machine: z.strictObject({
      cpuModel: z.string(),
      cores: count,
      memoryBytes: count,
      cgroupCpuQuota: z.number().nullable(),
      kernel: z.string(),
      node: z.string(),
      undici: z.string(),
      container: z.boolean(),
      loadAvgBefore: z.number(),
    }),
    target: z.strictObject({
      endpoint: z.enum(['chat', 'completions', 'embeddings']),
      model: z.string(),
      stream: z.boolean(),
    }),
    runId: z.string().describe('the same in every report that holds an arm of this run'),
    pairing: z
      .enum(['block', 'request'])
      .optional()
      .describe(
        'how the arms of the run took turns; absent where it had one, present where only one is in this report',
      ),
    arms: z.tuple([armSchema], armSchema),
    load: z.strictObject({
      mode: z.enum(['closed', 'open']),
      concurrency: count.nullable(),
      rps: z.number().nullable(),
      arrival: z.enum(ARRIVAL_KINDS).nullable(),
      burstiness: z.number().optional().describe('shape of gamma arrivals'),
      stages: z
        .array(z.strictObject({ from: z.number(), to: z.number(), durationS: z.number() }))
        .optional()
        .describe('rps or concurrency is then their highest level'),
      thinkTimeMs: ms.optional(),
      maxInFlight: count.optional(),
      warmupS: z.number().optional(),
      coolDownS: z.number().optional(),
      drainMs: ms.optional(),
      connectTimeoutMs: ms.optional(),
      firstTokenTimeoutMs: ms.optional(),
      idleTimeoutMs: ms.optional(),
      connection: z
        .strictObject({
          http: z.enum(['h1', 'h2']),
          keepAlive: z.boolean(),
          certificates: z.enum(['system', 'own-ca', 'any']),
          connections: count.nullable(),
        })
        .optional()
        .describe('absent for the default: HTTP/1.1, kept alive, certificates of the system'),
      workers: count.optional(),
      realtime: z
        .boolean()
        .optional()
        .describe('whether the sending threads, and the servers of an embedded pair, ran under SCHED_FIFO'),
      durationS: z.number().nullable(),
      requests: count.nullable(),
      warmup: count,
      timeoutMs: ms,
      seed: z.int(),
      workload: z.strictObject({ name: z.string(), sha256: z.string() }),
      options: z
        .record(z.string(), z.unknown())
        .describe('every option of the run, in the form of a config file, without secrets'),
    }),
    series: z
      .array(
        z.strictObject({
          second: count,
          sent: count,
          done: count,
          failed: count,
          inFlight: count,
          p50: ms.nullable(),
          p99: ms.nullable(),
        }),
      )
      .describe('of all arms together; empty where only one of several is in this report'),
    client: z.strictObject({
      verdict: clientSchema,
      why: z.array(z.string()),
      sendLagMs: z.strictObject({ p50: ms, p99: ms, max: ms }).nullable(),
      eventLoopDelayMs: z.strictObject({ p99: ms, max: ms }),
      eventLoopUtilization: z.number(),
      cpuShare: z.number().describe('CPU of the whole process, in cores'),
      gcMs: ms,
      achievedToOffered: z.number().nullable(),
      floorMs: z
        .strictObject({
          p50: ms,
          p99: ms,
          source: z.enum(['direct-arm', 'null-upstream']).optional(),
          count: count.optional(),
          blocks: z
            .array(histogramSchema)
            .optional()
            .describe('blocks of a null upstream; those of a direct arm are its own'),
        })
        .nullable()
        .describe(
          'measurement floor: the stamped reading without a gateway, interleaved with the run or right after it',
        ),
      runtime: z
        .strictObject({
          v8Flags: z.array(z.string()),
          youngGenerationMb: count,
          helperThreadsNice: z.int().nullable().describe("of V8's helper threads; null where none could be lowered"),
          fifoPriority: count.nullable().describe('of the sending threads; null where they are ordinary ones'),
        })
        .optional()
        .describe('what kt set for the engine and the scheduler'),
      throughputLimit: z
        .strictObject({
          by: z.enum(['target', 'client', 'unknown']),
          ownShare: z.number().describe('of the time, in which the busiest sending thread was busy'),
          capacityPerSec: z
            .number()
            .nullable()
            .describe('requests that the sending threads can send, by a probe after the run; null without one'),
        })
        .optional()
        .describe('of a closed loop: where the client was the limit, throughput is at least what is reported'),
      involuntarySwitches: count.nullable().optional(),
      throttledMs: ms.nullable().optional().describe("time that the control group's CPU limit held the process"),
      workers: z
        .array(z.strictObject({ eventLoopUtilization: z.number(), eventLoopDelayP99Ms: ms, gcMs: ms }))
        .optional()
        .describe('each sending thread, where there are several'),
    }),
    samples: z
      .strictObject({ written: count, lost: count, error: z.string().nullable() })
      .optional()
      .describe('lines written for --samples'),
    noise: noiseSchema.optional(),
    interimAnalyses: interimAnalysesSchema.optional().describe('of a run that ends as soon as it is decided'),
    slo: z.array(sloSchema).optional().describe('an entry for each category that was judged'),
    gate: gateSchema.nullable(),
  })
  .refine(
    ({ arms }) => arms.every(({ totals }) => totals.sent === totals.successful + totals.failed),
    'sent is not the sum of the outcomes',
  )
  .refine(({ arms }) => new Set(arms.map(({ name }) => name)).size === arms.length, 'two arms have one name')
  .refine(
    ({ arms: [first, ...others] }) => !first.baseline && others.filter(({ baseline }) => baseline).length <= 1,
    'one arm at most is the baseline, and not the first',
  )

export type BenchReport = z.infer<typeof benchReportSchema>
export type ArmResult = z.infer<typeof armSchema>
/** An arm beside what all arms of its run share: what tables and verdicts read (src/report/runs.ts). */
export interface Run extends Omit<BenchReport, 'arms'>, Omit<ArmResult, 'baseline'> {
  /** The baseline that the report holds beside this arm. */
  baseline?: Run
}
export type Agreement = z.infer<typeof agreementSchema>
export type DurationSummary = z.infer<typeof distributionSchema>
export type OverheadResult = z.infer<typeof overheadSchema>
export type OverheadDefinition = z.infer<typeof definitionSchema>
export type Block = ArmResult['blocks'][number]
export type Outcomes = z.infer<typeof outcomesSchema>
export type Gate = z.infer<typeof gateSchema>
export type SloResult = z.infer<typeof sloSchema>
export type CategoryResult = NonNullable<ArmResult['categories']>[number]
export type Check = z.infer<typeof checkSchema>
export type Verdict = z.infer<typeof verdictSchema>
