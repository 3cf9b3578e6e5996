/**
 * One arm of a run: where it sent, and what it measured: totals, distributions, throughput, overhead; and the blocks
 * and categories that these are made of.
 */
import { z } from 'zod'
import { METRIC_NAMES, METRICS, type Metric, OTHER_BLOCK_METRICS } from '../slo/metrics.ts'
import { agreementSchema } from './agreement-schema.ts'
import { conversationsSchema } from './conversation-schema.ts'
import {
  count,
  definitionSchema,
  distributionSchema,
  histogramSchema,
  interval,
  largest,
  ms,
  outcomesSchema,
  p50,
  p90,
  p95,
  p99,
  roleSchema,
  tokenSourceSchema,
  urlField,
  verdictSchema,
} from './fields.ts'
import { cacheSchema, modelsSchema } from './group-schema.ts'

const readings = count.describe('readings')

const componentSchema = z.strictObject({
  count: readings,
  p50,
  p99,
  budgetMs: ms.nullable().describe('its budget at P99; null where it has none'),
  verdict: verdictSchema.nullable().describe('whether it keeps the budget; null where it has none'),
})

/** The total of an overhead, with the interval of its P99. */
export const overheadTotalSchema = z
  .strictObject({ p50, p90, p95, p99, max: largest, ci95: interval.describe('interval of P99, by blocks') })
  .describe('the overhead of a request')

export const overheadSchema = z.strictObject({
  definition: definitionSchema,
  source: z.string().describe('which header or stamp told it'),
  count: z.int().positive().describe('readings'),
  totalMs: overheadTotalSchema,
  perTokenMs: z
    .strictObject({ count: readings, p50, p99, max: largest })
    .optional()
    .describe('what was added to each token of a stream'),
  components: z
    .record(z.string(), componentSchema)
    .optional()
    .describe('its parts by name, as the gateway reports them'),
  negative: count.describe('readings below zero: an error in the method'),
  rejected: count.describe('impossible readings, excluded'),
  cacheHits: count.describe('stamps of another request (answers from a cache), excluded'),
  retried: count.describe('requests that the gateway sent more than once, excluded'),
  histogram: histogramSchema,
  resolution: z
    .strictObject({ unitMs: ms.describe('their unit'), errorMs: ms.describe('the largest error of a reading') })
    .optional()
    .describe('of readings made of coarse figures: their unit, and by how much a reading may be wrong at most'),
  note: z.string().describe('what the reading covers and leaves out'),
})

const machineSchema = z
  .strictObject({
    spanMs: ms.describe('length of the block'),
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

const blockIndex = count.describe('number of the block')
const sentCount = count.describe('requests sent')

const blockSchema = z.strictObject({
  index: blockIndex,
  startedAtS: z.number().describe('when it began, after the first block'),
  sent: sentCount,
  outcomes: outcomesSchema,
  machine: machineSchema.optional(),
  latency: histogramSchema.describe('latency of its requests'),
  metrics: z
    .partialRecord(z.enum(OTHER_BLOCK_METRICS), histogramSchema)
    .optional()
    .describe('histograms that are judged by block, beside latency and overhead'),
  overhead: z.partialRecord(definitionSchema, histogramSchema).describe('overhead by definition'),
  components: z
    .record(z.string(), histogramSchema)
    .optional()
    .describe('the parts of the overhead, as the gateway reports them'),
})

/** The requests of one category of a mixed workload. They are classified when they are made. */
const categorySchema = z.strictObject({
  name: z.string().describe('name of the category'),
  sent: sentCount,
  outcomes: outcomesSchema,
  targetsMs: z
    .strictObject({
      latency: ms.describe('of the latency'),
      ttft: ms.nullable().describe('of the time to first token; null: none'),
    })
    .describe('the targets that `within` was counted by: P99, or the timeout where there is no P99 target'),
  latencyMs: distributionSchema.optional().describe('latency of its requests'),
  ttftMs: distributionSchema.optional().describe('time to first token of its streams'),
  blocks: z
    .array(
      z.strictObject({
        index: blockIndex,
        sent: sentCount,
        outcomes: outcomesSchema,
        within: count.describe('requests answered within all targets'),
        latency: histogramSchema.describe('latency of its requests'),
        ttft: histogramSchema.describe('time to first token of its streams'),
      }),
    )
    .describe('its requests, block by block'),
})

/** What is to be said of answers that count as successes. */
export const answersSchema = z
  .strictObject({
    empty: count.optional().describe('held nothing, which --allow-empty takes for a success'),
    unmarked: count.optional().describe('streams with a finish reason and without an end mark'),
    suspect: z
      .strictObject({
        answers: count.describe('such answers'),
        missedTokens: count.describe('output tokens that usage tells and kt did not see'),
        members: z.array(z.string()).describe('names of the unknown members'),
      })
      .optional()
      .describe(
        'answers whose usage tells output tokens that kt did not see, and members in them that it does not know: ' +
          'TTFT, TPOT and inter-token times are suspect',
      ),
  })
  .describe('what is to be said of successful answers; absent where there is nothing')

const delaySchema = z.strictObject({ count: z.int().positive().describe('readings'), p50, p99, max: largest })

const steadinessSchema = z
  .strictObject({
    test: z.literal('Heidelberger-Welch').describe('the test of stationarity, at 1 %'),
    steady: z.boolean().describe('whether the second half of the run was steady'),
    fromS: z.number().nullable().describe('when it became steady, after the first request; null: never'),
    by: z.enum(['seconds', 'blocks']).describe('what the tested series is made of'),
    of: z.enum(['latency', 'rate']).describe('the series that decided: median latencies, or the rate of a closed loop'),
    values: count.describe('length of the series'),
    drift: z.number().describe('how much its steady part, or second half, rose over its mean; below zero: fell'),
  })
  .describe('whether the run was steady; absent where it is too short to tell, or changes its load by itself')

/** Requests that were sent and are in no figure. */
const outside = z.strictObject({ sent: sentCount, failed: count.describe('of these, the failed ones') })

const optionalDistribution = (metric: Metric) =>
  distributionSchema.optional().describe(`${METRICS[metric].label.trim()}, of ${SAMPLES_OF[METRICS[metric].sampleOf]}`)

/** In words, what gives a sample of a metric. */
const SAMPLES_OF = {
  ended: 'every request that ended',
  timed: 'requests that were answered or gave up at a deadline',
  answered: 'requests that were answered',
  stream: 'answered streams',
  gap: 'gaps between two token-bearing events of a stream',
  'first token': 'the first token of stamped streams',
  'later token': 'each later token of stamped streams',
  token: 'each token of stamped streams',
} as const

/** A distribution for each metric that was measured: latencyMs, serviceMs, ... */
const distributionsShape = Object.fromEntries(
  METRIC_NAMES.map((metric) => [`${metric}Ms`, optionalDistribution(metric)]),
) as Record<`${Metric}Ms`, ReturnType<typeof optionalDistribution>>

export const armSchema = z
  .strictObject({
    name: z.string().min(1).describe('unlike that of every other arm of the run'),
    baseline: z.literal(true).optional().describe('the arm that the others are compared with; never the first'),
    url: urlField,
    role: roleSchema,
    dropped: z
      .strictObject({
        atS: z.number().describe('seconds after the first request of the run'),
        why: z.string().describe('in words'),
      })
      .optional()
      .describe('it was dead before the run was over: its figures are those up to then'),
    gateway: z.string().optional().describe('the gateway that answers at the url, where it names itself'),
    totals: z
      .strictObject({
        sent: count.describe('requests sent: always the sum of all outcomes'),
        successful: count.describe('requests that were answered in full'),
        failed: count.describe('all others'),
        durationS: z.number().describe('from the first request to the end of the last answer'),
        dueS: z.number().optional().describe('open loop: the time in which requests were due'),
        loadS: z
          .number()
          .optional()
          .describe(
            'the time that every rate is over: closed loop, durationS; open loop, dueS, or longer where requests ' +
              'left late or answers fell behind. Absent in reports of earlier versions, whose rates are over durationS',
          ),
        outcomes: outcomesSchema,
        connections: z
          .strictObject({
            opened: count.describe('connections opened'),
            reused: count.describe('requests sent on a connection that had carried one'),
          })
          .describe('connections of the arm'),
        warmup: outside.describe('requests of the warm-up: in no figure'),
        idleFirst: outside
          .optional()
          .describe(
            'the first request in a block on each connection, idle while the other arm ran: excluded from all figures',
          ),
        cutOff: count
          .optional()
          .describe("requests that the user's interrupt cut off or kept from being sent: excluded from all figures"),
        canceled: z
          .strictObject({
            sent: count.describe('requests that were drawn and sent'),
            left: count.describe('of these, the ones that the client left before their end'),
            answered: count.describe('those that were answered in full before the client would have left'),
            failed: count.describe('those that failed before that'),
            wasted: z
              .strictObject({
                known: count.describe('requests that were left and of which the provider tells'),
                writtenToTheEnd: count.describe(
                  'answers that the provider wrote whole, as if somebody still read them',
                ),
                tokens: count.describe('tokens that the provider wrote for these requests and no client saw'),
                unfinished: z.boolean().describe('the provider was still writing when kt looked: there are more'),
              })
              .nullable()
              .describe('what was written for nobody; null where the provider does not tell'),
          })
          .optional()
          .describe('requests of --cancel-share: in no other figure, neither sent nor failed'),
        toldWaits: z
          .strictObject({
            answers: count.describe('429 and 503 that told a wait in Retry-After; those to excluded requests too'),
            longestMs: ms.describe('the longest wait that was told'),
            waits: count.describe('waits that were obeyed (--respect-retry-after)'),
            waitedMs: ms.describe('how long these took together'),
            heldBack: count.describe('open loop: requests that were due meanwhile; not sent, and in no figure'),
          })
          .optional()
          .describe('what Retry-After told'),
        inFlight: z
          .strictObject({ mean: z.number().describe('over the time'), max: count.describe('at most') })
          .optional()
          .describe('requests in flight; with several workers, max is the sum of their maxima'),
      })
      .describe('counts and lengths'),
    answers: answersSchema.optional(),
    ...distributionsShape,
    throughput: z
      .strictObject({
        requestsPerSec: z.number().describe('successful requests'),
        inputTokensPerSec: z.number().nullable().describe('input tokens; null where nothing counted them'),
        outputTokensPerSec: z.number().nullable().describe('output tokens; null where nothing counted them'),
        tokensPerSec: z.number().nullable().describe('both together'),
        eventsPerSec: z.number().describe('events of streams'),
        bytesPerSec: z.number().describe('bytes of answers, as they came'),
        tokenSource: tokenSourceSchema,
        counted: z
          .strictObject({
            usage: count.describe('by the usage that the provider reports'),
            tokenizer: count.describe('by the tokenizer'),
            events: count.describe('by their events'),
          })
          .optional()
          .describe(
            'answers by what their tokens were counted by. Where it is absent, an earlier version counted: of ' +
              'streams without hidden reasoning, and with the tokens of failed answers',
          ),
        hiddenTokensPerSec: z
          .number()
          .optional()
          .describe('the part of the output tokens that is reasoning whose text was not sent'),
        cachedTokensPerSec: z.number().optional().describe('the part of the input tokens read from a prompt cache'),
        cacheWrittenTokensPerSec: z
          .number()
          .optional()
          .describe('the part of the input tokens written to a prompt cache'),
        failedAnswers: z
          .strictObject({
            answers: count.describe('such answers'),
            outputTokens: count.describe('their output tokens'),
          })
          .optional()
          .describe('failed answers that had begun, and what they had generated: in no other figure of tokens'),
      })
      .describe('what passed in a second'),
    overhead: z.array(overheadSchema).describe('what the gateway added, a reading for each definition'),
    oneWayMs: z
      .strictObject({
        requestPath: delaySchema.describe('from kt to the provider'),
        responsePath: delaySchema.describe('from the provider to kt'),
      })
      .optional()
      .describe("one-way delays to the provider and back, by the provider's own record; only on one host"),
    signals: z
      .strictObject({
        gateway: z.string().nullable().describe('its name; null where it names none'),
        caveat: z.string().describe('what its figures leave out'),
        rejected: z.record(z.string(), count).describe('rule -> readings that it excluded'),
      })
      .optional()
      .describe('what the gateway says of itself beside its figures'),
    conversations: conversationsSchema.optional(),
    models: modelsSchema.optional(),
    cache: cacheSchema.optional(),
    agreement: agreementSchema.optional().describe('with the baseline: whether both say the same'),
    steadiness: steadinessSchema.optional(),
    blocks: z.array(blockSchema).describe('in the order of their index; blocks of one index ran beside each other'),
    categories: z
      .array(categorySchema)
      .optional()
      .describe('of the first arm, where the workload mixes categories: its requests by category'),
  })
  .meta({ id: 'arm', description: 'an arm of a run: where it sent, and what it measured' })
