/**
 * The report contract `kt.bench/1`, defined once: the TypeScript types and fixtures/kt.bench.1.schema.json follow from it.
 * camelCase, unit in the name, milliseconds for durations; histograms hold integer microseconds.
 */
import { z } from 'zod'
import { OUTCOME_CODES } from '../wire/outcome.ts'

export const REPORT_SCHEMA = 'kt.bench/1'

const count = z.int().nonnegative()
const ms = z.number()
/** [lower, upper]; null is an open upper end. */
const interval = z.tuple([ms, ms.nullable()])

const histogramSchema = z.strictObject({
  hdr: z.base64(),
  minUs: z.number(),
  maxUs: z.number(),
  sumUs: z.number(),
  negative: count,
})

/** A measured distribution. Absent where nothing was measured, never filled with zeros. */
const distributionSchema = z.strictObject({
  count: z.int().positive(),
  mean: ms,
  p50: ms,
  p90: ms,
  p95: ms,
  p99: ms,
  p999: ms,
  max: ms,
  iid95: z
    .strictObject({ p50: interval, p99: interval })
    .describe('order-statistic intervals, valid only for independent requests: shown, never judged by'),
  histogram: histogramSchema,
})

const outcomesSchema = z.partialRecord(z.enum(OUTCOME_CODES), count)
const definitionSchema = z.enum([
  'provider-stamped',
  'self-reported',
  'upstream-reported',
  'provider-reported',
  'paired',
  'quantile-difference',
])
const armNameSchema = z.enum(['gateway', 'direct', 'target', 'baseline'])
const roleSchema = z.enum(['direct', 'gateway', 'unknown'])
const verdictSchema = z.enum(['pass', 'fail', 'inconclusive'])

const checkSchema = z.strictObject({
  metric: z.string(),
  op: z.enum(['<', '<=', '>', '>=']),
  limit: z.number(),
  value: z.number().nullable(),
  ci95: interval.nullable(),
  verdict: verdictSchema,
  why: z.string(),
  /** How many requests would decide it, where more would. */
  requestsNeeded: count.optional(),
})

const gateSchema = z.strictObject({ verdict: verdictSchema, checks: z.array(checkSchema) })

const noiseSchema = z
  .strictObject({
    source: z.enum(['aa', 'halves']).describe('aa: one address against itself; halves: a run against itself'),
    pairs: count,
    latencyMs: interval.optional(),
    overheadMs: interval.optional().describe('provider-stamped'),
  })
  .describe("the rig's own noise floor, 95 %, by blocks: what two arms that are the same differ by at P99")

const looksSchema = z.strictObject({
  planned: z.array(count).describe('pairs of blocks after which the run was to be judged'),
  taken: z.array(z.strictObject({ pairs: count, verdict: verdictSchema })),
  alphaPass: z.number().describe('what a PASS may err by, at each look'),
  alphaFail: z.number().describe('what a FAIL may err by, at each look'),
})

const sloSchema = z.strictObject({
  category: z.string(),
  requests: count.describe('of this category'),
  targetsMs: z.strictObject({
    p50: ms.nullable(),
    p99: ms.nullable(),
    ttftP50: ms.nullable(),
    ttftP99: ms.nullable(),
    timeout: ms,
  }),
  measuredMs: z.strictObject({
    p50: ms.nullable(),
    p99: ms.nullable(),
    ttftP50: ms.nullable(),
    ttftP99: ms.nullable(),
  }),
  goodput: z
    .strictObject({
      share: z.number().describe('of requests sent: answered, and within every target'),
      exact: z.boolean().describe('false: a lower bound, since two targets were counted apart'),
    })
    .nullable(),
  errorBudget: z
    .strictObject({
      objective: z.number(),
      allowed: z.number(),
      bad: count,
      burn: z.number().describe('1 spends the budget exactly'),
    })
    .nullable(),
  verdict: verdictSchema,
  checks: z.array(checkSchema),
})

const componentSchema = z.strictObject({
  count,
  p50: ms,
  p99: ms,
  budgetMs: ms.nullable(),
  verdict: verdictSchema.nullable(),
})

const overheadSchema = z.strictObject({
  definition: definitionSchema,
  source: z.string(),
  count: z.int().positive(),
  totalMs: z.strictObject({
    p50: ms,
    p90: ms,
    p95: ms,
    p99: ms,
    max: ms,
    ci95: interval.describe('of P99, by blocks'),
  }),
  perTokenMs: z.strictObject({ count, p50: ms, p99: ms, max: ms }).optional(),
  components: z.record(z.string(), componentSchema).optional(),
  negative: count.describe('values below zero: an error in the method'),
  rejected: count.describe('impossible values, left out'),
  cacheHits: count.describe('stamps with a foreign nonce, left out'),
  retried: count.describe('requests the gateway sent more than once'),
  histogram: histogramSchema,
  note: z.string(),
})

const blockSchema = z.strictObject({
  arm: armNameSchema,
  index: count,
  startedAtS: z.number(),
  sent: count,
  outcomes: outcomesSchema,
  latency: histogramSchema,
  metrics: z
    .partialRecord(z.enum(['ttfb', 'ttft', 'tpot', 'interToken']), histogramSchema)
    .optional()
    .describe('what is judged by block beside latency and overhead'),
  overhead: z.partialRecord(definitionSchema, histogramSchema),
  components: z.record(z.string(), histogramSchema).optional().describe("the gateway's parts, by its own word"),
})

/** The requests of one category of a mixed workload; classified when they were made. */
const categorySchema = z.strictObject({
  name: z.string(),
  sent: count,
  outcomes: outcomesSchema,
  targetsMs: z
    .strictObject({ latency: ms, ttft: ms.nullable() })
    .describe('those that `within` was counted by: P99, or the timeout where none is promised'),
  latencyMs: distributionSchema.optional(),
  ttftMs: distributionSchema.optional(),
  blocks: z.array(
    z.strictObject({
      index: count,
      sent: count,
      outcomes: outcomesSchema,
      within: count.describe('answered within all targets'),
      latency: histogramSchema,
      ttft: histogramSchema,
    }),
  ),
})

const legSchema = z.strictObject({ count: z.int().positive(), p50: ms, p99: ms, max: ms })

/** What one arm of a run measured. */
const armShape = {
  totals: z.strictObject({
    sent: count,
    successful: count,
    failed: count,
    durationS: z.number(),
    outcomes: outcomesSchema,
    connections: z.strictObject({ opened: count, reused: count }),
    warmup: z.strictObject({ sent: count, failed: count }),
    rested: z
      .strictObject({ sent: count, failed: count })
      .optional()
      .describe('the first request of each connection in a block, which rested while the other arm ran: in no figure'),
    inFlight: z
      .strictObject({ mean: z.number(), max: count })
      .optional()
      .describe('truly in flight; with several workers, max is the sum of theirs'),
  }),
  latencyMs: distributionSchema.optional(),
  serviceMs: distributionSchema.optional(),
  connectMs: distributionSchema.optional(),
  ttfbMs: distributionSchema.optional(),
  ttftMs: distributionSchema.optional(),
  ttftFromIntendedMs: distributionSchema.optional(),
  tpotMs: distributionSchema.optional(),
  interTokenMs: distributionSchema.optional(),
  throughput: z.strictObject({
    requestsPerSec: z.number(),
    inputTokensPerSec: z.number().nullable(),
    outputTokensPerSec: z.number().nullable(),
    tokensPerSec: z.number().nullable(),
    eventsPerSec: z.number(),
    bytesPerSec: z.number(),
    tokenSource: z.enum(['usage', 'tokenizer', 'events', 'mixed', 'none']),
  }),
  overhead: z.array(overheadSchema),
  legsMs: z
    .strictObject({ request: legSchema, response: legSchema })
    .optional()
    .describe("on one host: to the provider and back, by the provider's own record"),
  signals: z
    .strictObject({
      gateway: z.string().nullable(),
      caveat: z.string(),
      rejected: z.record(z.string(), count).describe('rule -> figures left out by it'),
    })
    .optional()
    .describe('what the gateway says of itself beside its figures'),
}

const armResultSchema = z.strictObject({
  name: armNameSchema,
  url: z.string(),
  role: roleSchema.optional().describe('what stands at the url; a `direct` arm needs none'),
  ...armShape,
})

export const benchReportSchema = z
  .strictObject({
    schema: z.literal(REPORT_SCHEMA),
    kt: z.strictObject({ version: z.string(), gitSha: z.string().nullable() }),
    startedAt: z.iso.datetime(),
    command: z.string(),
    interrupted: z.boolean(),
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
      url: z.string(),
      endpoint: z.enum(['chat', 'completions', 'embeddings']),
      model: z.string(),
      stream: z.boolean(),
      role: roleSchema,
      gateway: z.string().optional(),
    }),
    arms: z.strictObject({
      pairId: z.string(),
      mode: z.enum(['single', 'paired']),
      pairing: z.enum(['block', 'request']).optional().describe('how two arms took turns'),
      primary: armNameSchema.describe('the arm whose figures stand at the top level'),
      baselineUrl: z.string().optional(),
      baseline: armResultSchema.optional(),
    }),
    load: z.strictObject({
      mode: z.enum(['closed', 'open']),
      concurrency: count.nullable(),
      rps: z.number().nullable(),
      arrival: z.enum(['constant', 'poisson', 'gamma']).nullable(),
      burstiness: z.number().optional().describe('shape of gamma arrivals'),
      stages: z
        .array(z.strictObject({ from: z.number(), to: z.number(), durationS: z.number() }))
        .optional()
        .describe('then rps or concurrency is their highest level'),
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
        .describe('where it is not HTTP/1.1, kept alive, by the certificates of the system'),
      workers: count.optional(),
      durationS: z.number().nullable(),
      requests: count.nullable(),
      warmup: count,
      timeoutMs: ms,
      seed: z.int(),
      workload: z.strictObject({ name: z.string(), sha256: z.string() }),
      options: z
        .record(z.string(), z.unknown())
        .describe('all that was asked for, as a config file would say it, without secrets'),
    }),
    ...armShape,
    blocks: z.array(blockSchema),
    categories: z
      .array(categorySchema)
      .optional()
      .describe('the requests of the first arm by category, where the workload mixes them; 3 significant digits'),
    series: z.array(
      z.strictObject({
        second: count,
        sent: count,
        done: count,
        failed: count,
        inFlight: count,
        p50: ms.nullable(),
        p99: ms.nullable(),
      }),
    ),
    client: z.strictObject({
      verdict: z.enum(['ok', 'saturated', 'noisy']),
      why: z.array(z.string()),
      sendLagMs: z.strictObject({ p50: ms, p99: ms, max: ms }).nullable(),
      eventLoopDelayMs: z.strictObject({ p99: ms, max: ms }),
      eventLoopUtilization: z.number(),
      cpuShare: z.number().describe('of the whole process, in cores'),
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
            .describe('of a null upstream; those of a direct arm stand in blocks'),
        })
        .nullable()
        .describe('the stamped reading with no gateway in between: in turns with the run, or right after it'),
      involuntarySwitches: count.nullable().optional(),
      throttledMs: ms.nullable().optional().describe("held by the control group's CPU limit"),
      workers: z
        .array(z.strictObject({ eventLoopUtilization: z.number(), eventLoopDelayP99Ms: ms, gcMs: ms }))
        .optional()
        .describe('each sending thread, where there were several'),
    }),
    samples: z
      .strictObject({ written: count, lost: count, error: z.string().nullable() })
      .optional()
      .describe('lines of --samples'),
    noise: noiseSchema.optional(),
    looks: looksSchema.optional().describe('of a run that ends as soon as it is decided'),
    slo: z.array(sloSchema).optional().describe('an entry for each category that was judged'),
    gate: gateSchema.nullable(),
  })
  .refine(({ totals }) => totals.sent === totals.successful + totals.failed, 'sent is not the sum of the outcomes')

export type BenchReport = z.infer<typeof benchReportSchema>
export type ArmResult = z.infer<typeof armResultSchema>
export type ArmName = z.infer<typeof armNameSchema>
export type Distribution = z.infer<typeof distributionSchema>
export type OverheadResult = z.infer<typeof overheadSchema>
export type OverheadDefinition = z.infer<typeof definitionSchema>
export type Block = z.infer<typeof blockSchema>
export type Outcomes = z.infer<typeof outcomesSchema>
export type Gate = z.infer<typeof gateSchema>
export type SloResult = z.infer<typeof sloSchema>
export type CategoryResult = z.infer<typeof categorySchema>
export type Check = z.infer<typeof checkSchema>
export type Verdict = z.infer<typeof verdictSchema>
