/** The contract `kt.sweep/1`: one level of load after another, and what follows from the curve. */
import { z } from 'zod'

export const SWEEP_SCHEMA = 'kt.sweep/1'

const ms = z.number()
const pair = z.strictObject({ p50: ms, p99: ms })

const levelSchema = z.strictObject({
  /** Requests per second in an open loop, requests in flight in a closed one. */
  level: z.number(),
  requests: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  achievedRps: z.number(),
  outputTokensPerSec: z.number().nullable(),
  latencyMs: pair.nullable(),
  ttftMs: pair.nullable(),
  overheadMs: pair.extend({ ci95: z.tuple([ms, ms.nullable()]) }).nullable(),
  client: z.enum(['ok', 'saturated', 'noisy']),
  steady: z.boolean(),
  /** Blocks left out at the beginning, as the run was not steady yet. */
  skippedBlocks: z.int().nonnegative(),
})

const curveShape = {
  levels: z.array(levelSchema),
  knee: z.strictObject({ level: z.number(), achievedRps: z.number(), why: z.string() }).nullable(),
  /** The highest level whose added P99, and that of every lower one, stays at or under the limit. */
  frontier: z.array(
    z.strictObject({
      limitMs: ms,
      level: z.number().nullable(),
      achievedRps: z.number().nullable(),
      /** The whole interval of that level lies under the limit. */
      certain: z.boolean(),
    }),
  ),
}

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
    gateway: z.string().optional(),
  }),
  load: z.strictObject({ mode: z.enum(['closed', 'open']), stepS: z.number(), seed: z.int() }),
  workload: z.strictObject({ name: z.string(), sha256: z.string() }),
  overheadSource: z.string().nullable(),
  ...curveShape,
  until: z
    .strictObject({ limitMs: ms, level: z.number().nullable(), achievedRps: z.number().nullable(), why: z.string() })
    .nullable(),
})

export type SweepReport = z.infer<typeof sweepSchema>
export type SweepLevel = z.infer<typeof levelSchema>
