/**
 * The contract `kt.sweep/1`: the measured levels of load and what follows from their curve. There is one curve, or
 * one for each number of processes of the embedded gateway.
 */
import { z } from 'zod'
import { SWEEP_METRICS, type SweepMetric } from '../slo/metrics.ts'
import { answersSchema } from './arm-schema.ts'
import { clientSchema, tokenSourceSchema } from './fields.ts'

export const SWEEP_SCHEMA = 'kt.sweep/1'

const ms = z.number()
const perSec = z.number()
const pair = z.strictObject({ p50: ms, p99: ms })

const nullablePair = () => pair.nullable()

/** P50 and P99 of each metric that a level holds: latencyMs, ttftMs, ... */
const quantilesShape = Object.fromEntries(SWEEP_METRICS.map((metric) => [`${metric}Ms`, nullablePair()])) as Record<
  `${SweepMetric}Ms`,
  ReturnType<typeof nullablePair>
>

const levelSchema = z.strictObject({
  /** Requests per second in an open loop, requests in flight in a closed one. */
  level: z.number(),
  requests: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  answers: answersSchema.optional(),
  achievedRps: perSec,
  throughputError: z.number().describe('standard error of the throughput over its mean, by seconds'),
  inputTokensPerSec: perSec.nullable(),
  outputTokensPerSec: perSec.nullable(),
  eventsPerSec: perSec,
  bytesPerSec: perSec,
  tokenSource: tokenSourceSchema,
  hiddenTokensPerSec: perSec
    .optional()
    .describe('the part of the output tokens that is reasoning whose text is unseen'),
  inFlight: z
    .strictObject({ mean: z.number(), max: z.int() })
    .nullable()
    .describe('requests in flight; streams, where answers are streamed'),
  gateway: z
    .strictObject({ cpuCores: z.number(), rssBytes: z.int() })
    .nullable()
    .describe('the processes of the embedded gateway: busy cores and the highest resident memory'),
  ...quantilesShape,
  overheadMs: pair.extend({ ci95: z.tuple([ms, ms.nullable()]) }).nullable(),
  client: clientSchema,
  achievedToOffered: z.number().nullable(),
  steady: z.boolean(),
  /** Blocks excluded at the beginning, because the run was not steady yet. */
  skippedBlocks: z.int().nonnegative(),
})

const curveSchema = z.strictObject({
  gatewayWorkers: z.int().positive().nullable().describe('processes of the embedded gateway; null for another gateway'),
  levels: z.array(levelSchema),
  knee: z.strictObject({ level: z.number(), achievedRps: perSec, why: z.string() }).nullable(),
  /** The highest level whose added P99, and that of every lower one, stays at or under the limit. */
  frontier: z.array(
    z.strictObject({
      limitMs: ms,
      level: z.number().nullable(),
      achievedRps: perSec.nullable(),
      /** The whole interval of that level lies under the limit. */
      certain: z.boolean(),
    }),
  ),
  until: z
    .strictObject({ limitMs: ms, level: z.number().nullable(), achievedRps: perSec.nullable(), why: z.string() })
    .nullable(),
})

export const sweepSchema = z.strictObject({
  schema: z.literal(SWEEP_SCHEMA),
  kt: z.strictObject({ version: z.string(), gitSha: z.string().nullable() }),
  startedAt: z.iso.datetime(),
  command: z.string(),
  interrupted: z.boolean(),
  machine: z.strictObject({ cpuModel: z.string(), cores: z.int(), node: z.string() }),
  target: z.strictObject({
    url: z.string(),
    endpoint: z.enum(['chat', 'completions', 'embeddings']),
    model: z.string(),
    stream: z.boolean(),
    role: z.enum(['direct', 'gateway', 'unknown']),
    gateway: z.string().optional(),
  }),
  load: z.strictObject({
    mode: z.enum(['closed', 'open']),
    levels: z.array(z.number()),
    stepS: z.number(),
    seed: z.int(),
    options: z.record(z.string(), z.unknown()).describe('the other options of the sweep, without secrets'),
  }),
  workload: z.strictObject({ name: z.string(), sha256: z.string() }),
  overheadSource: z.string().nullable(),
  curves: z.array(curveSchema).min(1),
  scaling: z
    .array(
      z.strictObject({
        gatewayWorkers: z.int().positive(),
        level: z.number(),
        achievedRps: perSec,
        timesFirst: z.number().describe('throughput relative to that of the first number of processes'),
      }),
    )
    .nullable()
    .describe('the highest throughput of each number of processes'),
})

export type SweepReport = z.infer<typeof sweepSchema>
export type SweepCurve = z.infer<typeof curveSchema>
export type SweepLevel = z.infer<typeof levelSchema>
