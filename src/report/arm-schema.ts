/**
 * One arm of a run: where it sent, and what it measured: totals, distributions, throughput, overhead; and the blocks
 * and categories that these are made of.
 */
import { z } from 'zod'
import { METRIC_NAMES, type Metric, OTHER_BLOCK_METRICS } from '../slo/metrics.ts'
import { agreementSchema } from './agreement-schema.ts'
import {
  count,
  definitionSchema,
  distributionSchema,
  histogramSchema,
  interval,
  ms,
  outcomesSchema,
  roleSchema,
  tokenSourceSchema,
  verdictSchema,
} from './fields.ts'

const componentSchema = z.strictObject({
  count,
  p50: ms,
  p99: ms,
  budgetMs: ms.nullable(),
  verdict: verdictSchema.nullable(),
})

export const overheadSchema = z.strictObject({
  definition: definitionSchema,
  source: z.string(),
  count: z.int().positive(),
  totalMs: z.strictObject({
    p50: ms,
    p90: ms,
    p95: ms,
    p99: ms,
    max: ms,
    ci95: interval.describe('interval of P99, by blocks'),
  }),
  perTokenMs: z.strictObject({ count, p50: ms, p99: ms, max: ms }).optional(),
  components: z.record(z.string(), componentSchema).optional(),
  negative: count.describe('readings below zero: an error in the method'),
  rejected: count.describe('impossible readings, excluded'),
  cacheHits: count.describe('stamps of another request (answers from a cache), excluded'),
  retried: count.describe('requests that the gateway sent more than once, excluded'),
  histogram: histogramSchema,
  resolution: z
    .strictObject({ unitMs: ms, errorMs: ms })
    .optional()
    .describe('of readings made of coarse figures: their unit, and by how much a reading may be wrong at most'),
  note: z.string(),
})

const machineSchema = z
  .strictObject({
    spanMs: ms,
    waitMs: ms.describe('time that threads of kt were ready and waited for a core, summed'),
    targetsWaitMs: ms.nullable().describe('the same of the targets; null where none runs on this machine'),
    pressure: z.number().nullable().describe('share of the time in which some task of the machine waited for a core'),
    stealMs: ms.nullable().describe('time that the hypervisor gave to others'),
    throttledMs: ms.nullable().describe("time that the control group's limit held the process"),
    starvedMs: ms.describe(
      'time in windows in which a thread of kt or of a target was held up for a tenth of the window or more',
    ),
    starvedSpells: count.describe('runs of such windows'),
    heldUp: count.describe('requests that were sent or in flight then: a FAIL counts none of them'),
    source: z
      .enum(['schedstat', 'probe'])
      .describe("the kernel's account, or a thread that measures how late it wakes"),
  })
  .describe('what the machine withheld while the block was measured')

const blockSchema = z.strictObject({
  index: count,
  startedAtS: z.number(),
  sent: count,
  outcomes: outcomesSchema,
  machine: machineSchema.optional(),
  latency: histogramSchema,
  metrics: z
    .partialRecord(z.enum(OTHER_BLOCK_METRICS), histogramSchema)
    .optional()
    .describe('histograms that are judged by block, beside latency and overhead'),
  overhead: z.partialRecord(definitionSchema, histogramSchema),
  components: z
    .record(z.string(), histogramSchema)
    .optional()
    .describe('the parts of the overhead, as the gateway reports them'),
})

/** The requests of one category of a mixed workload. They are classified when they are made. */
const categorySchema = z.strictObject({
  name: z.string(),
  sent: count,
  outcomes: outcomesSchema,
  targetsMs: z
    .strictObject({ latency: ms, ttft: ms.nullable() })
    .describe('the targets that `within` was counted by: P99, or the timeout where there is no P99 target'),
  latencyMs: distributionSchema.optional(),
  ttftMs: distributionSchema.optional(),
  blocks: z.array(
    z.strictObject({
      index: count,
      sent: count,
      outcomes: outcomesSchema,
      within: count.describe('requests answered within all targets'),
      latency: histogramSchema,
      ttft: histogramSchema,
    }),
  ),
})

/** What is to be said of answers that count as successes. */
export const answersSchema = z
  .strictObject({
    empty: count.optional().describe('held nothing, which --allow-empty takes for a success'),
    unmarked: count.optional().describe('streams with a finish reason and without an end mark'),
    suspect: z
      .strictObject({ answers: count, missedTokens: count, members: z.array(z.string()) })
      .optional()
      .describe(
        'answers whose usage tells output tokens that kt did not see, and members in them that it does not know: ' +
          'TTFT, TPOT and inter-token times are suspect',
      ),
  })
  .describe('what is to be said of successful answers; absent where there is nothing')

const delaySchema = z.strictObject({ count: z.int().positive(), p50: ms, p99: ms, max: ms })

const optionalDistribution = () => distributionSchema.optional()

/** A distribution for each metric that was measured: latencyMs, serviceMs, ... */
const distributionsShape = Object.fromEntries(
  METRIC_NAMES.map((metric) => [`${metric}Ms`, optionalDistribution()]),
) as Record<`${Metric}Ms`, ReturnType<typeof optionalDistribution>>

export const armSchema = z.strictObject({
  name: z.string().min(1).describe('unlike that of every other arm of the run'),
  baseline: z.literal(true).optional().describe('the arm that the others are compared with; never the first'),
  url: z.string(),
  role: roleSchema,
  gateway: z.string().optional().describe('the gateway that answers at the url, where it names itself'),
  totals: z.strictObject({
    sent: count,
    successful: count,
    failed: count,
    durationS: z.number().describe('from the first request to the end of the last answer'),
    dueS: z.number().optional().describe('open loop: the time in which requests were due'),
    loadS: z
      .number()
      .optional()
      .describe(
        'the time that every rate is over: closed loop, durationS; open loop, dueS, or longer where requests left ' +
          'late or answers fell behind. Absent in reports of earlier versions, whose rates are over durationS',
      ),
    outcomes: outcomesSchema,
    connections: z.strictObject({ opened: count, reused: count }),
    warmup: z.strictObject({ sent: count, failed: count }),
    idleFirst: z
      .strictObject({ sent: count, failed: count })
      .optional()
      .describe(
        'the first request in a block on each connection, idle while the other arm ran: excluded from all figures',
      ),
    cutOff: count
      .optional()
      .describe("requests that the user's interrupt cut off or kept from being sent: excluded from all figures"),
    toldWaits: z
      .strictObject({
        answers: count.describe('429 and 503 that told a wait in Retry-After; those to excluded requests too'),
        longestMs: ms.describe('the longest wait that was told'),
        waits: count.describe('waits that were obeyed (--respect-retry-after)'),
        waitedMs: ms.describe('how long these took together'),
        heldBack: count.describe('open loop: requests that were due meanwhile; not sent, and in no figure'),
      })
      .optional(),
    inFlight: z
      .strictObject({ mean: z.number(), max: count })
      .optional()
      .describe('requests in flight; with several workers, max is the sum of their maxima'),
  }),
  answers: answersSchema.optional(),
  ...distributionsShape,
  throughput: z.strictObject({
    requestsPerSec: z.number(),
    inputTokensPerSec: z.number().nullable(),
    outputTokensPerSec: z.number().nullable(),
    tokensPerSec: z.number().nullable(),
    eventsPerSec: z.number(),
    bytesPerSec: z.number(),
    tokenSource: tokenSourceSchema,
    counted: z
      .strictObject({ usage: count, tokenizer: count, events: count })
      .optional()
      .describe(
        'answers by what their tokens were counted by. Where it is absent, an earlier version counted: of streams ' +
          'without hidden reasoning, and with the tokens of failed answers',
      ),
    hiddenTokensPerSec: z
      .number()
      .optional()
      .describe('the part of the output tokens that is reasoning whose text was not sent'),
    cachedTokensPerSec: z.number().optional().describe('the part of the input tokens read from a prompt cache'),
    cacheWrittenTokensPerSec: z.number().optional().describe('the part of the input tokens written to a prompt cache'),
    failedAnswers: z
      .strictObject({ answers: count, outputTokens: count })
      .optional()
      .describe('failed answers that had begun, and what they had generated: in no other figure of tokens'),
  }),
  overhead: z.array(overheadSchema),
  oneWayMs: z
    .strictObject({ requestPath: delaySchema, responsePath: delaySchema })
    .optional()
    .describe("one-way delays to the provider and back, by the provider's own record; only on one host"),
  signals: z
    .strictObject({
      gateway: z.string().nullable(),
      caveat: z.string(),
      rejected: z.record(z.string(), count).describe('rule -> readings that it excluded'),
    })
    .optional()
    .describe('what the gateway says of itself beside its figures'),
  agreement: agreementSchema.optional().describe('with the baseline: whether both say the same'),
  blocks: z.array(blockSchema).describe('in the order of their index; blocks of one index ran beside each other'),
  categories: z
    .array(categorySchema)
    .optional()
    .describe('of the first arm, where the workload mixes categories: its requests by category'),
})
