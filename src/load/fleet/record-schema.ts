/**
 * What a fleet worker may say of its run, checked where it comes in: another machine wrote it. The compiler holds each
 * schema against the type that it stands for.
 */
import { z } from 'zod'
import type { PackedHistogram } from '../../stats/histogram.ts'
import { OUTCOMES, type Outcome } from '../../wire/outcome.ts'
import type { ArmRecord, BlockRecord } from '../arm-record.ts'
import type { ToldBlock } from '../finished-blocks.ts'
import type { GroupRecord } from '../group-recorder.ts'
import type { Progress, RunRecord } from '../merge.ts'
import type { FromSender } from '../senders.ts'
import type { Second } from '../series.ts'

/** A schema for each key: the compiler names one that is missing. */
type Shape<T> = { [K in keyof Required<T>]: z.ZodType }

/** A number of a record is a NaN where nothing was measured. */
const n = z.union([z.number(), z.nan(), z.literal(Number.POSITIVE_INFINITY), z.literal(Number.NEGATIVE_INFINITY)])
const count = z.int().nonnegative()
const text = z.string().max(100_000)
const numbers = z.instanceof(Float64Array<ArrayBuffer>)
const outcome = z.enum(Object.keys(OUTCOMES) as [Outcome, ...Outcome[]])
const counts = z.partialRecord(outcome, count)
const sentFailed = z.strictObject({ sent: count, failed: count })

const digits = z.union([z.literal(3), z.literal(4)])
const packed = z.strictObject({
  ...{ digits, counts: z.instanceof(Uint8Array), minUs: n, maxUs: n, sumUs: n, negative: count },
} satisfies Shape<PackedHistogram>)
const named = z.record(z.string(), packed)

const blockFigures = { index: count, startedAtUs: n, endedAtUs: n, sent: count, outcomes: counts }
const block = z.strictObject({
  ...blockFigures,
  metrics: named,
  stamped: packed,
  selfReported: named,
  components: named,
} satisfies Shape<BlockRecord>) as z.ZodType<BlockRecord>
const told = z.strictObject({
  ...blockFigures,
  arm: count,
  metrics: named,
  stamped: packed,
  selfReported: named,
} satisfies Shape<ToldBlock>) as z.ZodType<ToldBlock>

const turn = z.strictObject({
  ...{ sent: count, successful: count, failed: count },
  ...{ latency: packed, ttft: packed, overhead: packed },
})
const readings = z.strictObject({ total: packed, source: text, note: text, resolutionUs: n, centreUs: n })
const categoryBlock = z.strictObject({
  ...{ index: count, sent: count, outcomes: counts, within: count },
  ...{ latency: packed, ttft: packed },
})

const group = z.strictObject({
  ...{ sent: count, successful: count, outputTokens: n, untold: count },
  ...{ latency: packed, ttft: packed, tpot: packed, overhead: packed },
} satisfies Shape<GroupRecord>)

const arm = z.strictObject({
  name: text,
  dropped: z.strictObject({ atUs: n, why: text }).optional(),
  outcomes: counts,
  details: z.partialRecord(outcome, text),
  warmup: sentFailed,
  idleFirst: sentFailed,
  metrics: named,
  stamped: z.strictObject({
    ...{ total: packed, perToken: packed, unattributed: packed },
    ...{ cacheHits: count, retried: count },
  }),
  selfReport: z.strictObject({
    ...{ gateway: text, unsure: z.boolean(), caveat: text },
    readings: z.record(z.string(), readings),
    rejected: z.record(z.string(), count),
  }),
  tokens: z.looseObject({
    ...{ input: n, output: n, events: n, hidden: n, cached: n, cacheWritten: n },
    ...{ fromUsage: n, fromTokenizer: n, fromEvents: n, failedAnswers: n, failedOutput: n },
    withoutUsage: z.strictObject({ requests: n, requestChars: n, answerBytes: n, tokenEvents: n }),
    samples: z.array(z.looseObject({ index: n, text: z.string() })),
  }),
  notes: z.strictObject({
    ...{ empty: count, unmarked: count },
    suspect: z.strictObject({ answers: count, missedTokens: n, members: z.array(text) }),
  }),
  ...{ bodyBytes: n, reused: count, activeUs: n, dueUs: n, lateUs: n },
  trend: z.strictObject({ count, x: n, y: n, xx: n, xy: n, yy: n }),
  ...{ mostInFlight: count, inFlightUs: n },
  tokensSpent: z.strictObject({ input: n, output: n }),
  cutOff: count,
  canceled: z.strictObject({ left: count, answered: count, failed: count, rows: z.array(n) }),
  blocks: z.array(block),
  categories: z.array(z.strictObject({ name: text, blocks: z.array(categoryBlock) })),
  told: z.record(z.string(), n),
  compared: z
    .strictObject({
      every: count,
      answers: z.array(z.strictObject({ index: count, block: count, streamed: z.boolean(), body: z.string() })),
    })
    .optional(),
  conversations: z
    .strictObject({
      ...{ turns: z.array(turn), started: count, finished: count, failed: count },
      durations: packed,
    })
    .optional(),
  models: z.array(group).optional(),
  cache: z.strictObject({ groups: z.array(group), repeated: count, toldBy: z.record(z.string(), count) }).optional(),
  replay: z.strictObject({ inputTokens: n, outputTokens: n, late: packed }).optional(),
} satisfies Shape<ArmRecord>) as unknown as z.ZodType<ArmRecord>

const second = z.strictObject({
  ...{ second: count, sent: n, done: n, failed: n, inFlight: n },
  ...{ p50Us: n.nullable(), p99Us: n.nullable() },
  byArm: z.array(z.strictObject({ p50Us: n.nullable(), p99Us: n.nullable(), latency: packed.optional() })),
}) as z.ZodType<Second>

const self = z.strictObject({
  eventLoopDelayMs: z.strictObject({ p99: n, max: n }),
  ...{ eventLoopUtilization: n, cpuShare: n, gcMs: n },
  ...{ involuntarySwitches: n.nullable(), throttledMs: n.nullable() },
})

export const stopReasonSchema = z.enum([
  ...(['interrupted', 'token-budget', 'cost-budget', 'target-dead', 'refused'] as const),
  ...(['warm-up-failed', 'abort-on', 'sender-lost'] as const),
])

const record = z.strictObject({
  arms: z.array(arm),
  opened: z.array(count),
  series: z.array(second),
  sendLag: packed,
  achievedToOffered: n.nullable(),
  self,
  runtime: z.strictObject({
    v8Flags: z.array(text),
    youngGenerationMb: n,
    helperThreadsNice: n.nullable(),
    fifoPriority: n.nullable(),
  }),
  workers: z.array(self),
  stopReason: stopReasonSchema.nullable(),
  measuredUs: n,
  requestTimes: z.array(numbers),
} satisfies Shape<Omit<RunRecord, 'abort'>>) as z.ZodType<RunRecord>

const progress = z.strictObject({
  phase: z.enum(['validating', 'jit-warmup', 'warm-up', 'measuring', 'asking-again']),
  ...{ elapsedUs: n, doneByArm: z.array(n), sent: n, done: n, failed: n, failures: z.array(counts), inFlight: n },
  ...{ achievedToOffered: n.nullable(), heldUs: n },
  watched: z.array(z.array(z.strictObject({ n: count, over: count }))),
  lastSecond: second.nullable(),
} satisfies Shape<Progress>) as z.ZodType<Progress>

/** By type of message: the compiler names one that is missing. */
const FROM_SENDER = {
  ready: z.strictObject({ type: z.literal('ready') }),
  progress: z.strictObject({ type: z.literal('progress'), progress }),
  blocks: z.strictObject({ type: z.literal('blocks'), blocks: z.array(told) }),
  samples: z.strictObject({ type: z.literal('samples'), rows: numbers, lost: count, startUs: n }),
  interim: z.strictObject({ type: z.literal('interim'), blocks: count, record }),
  stopping: z.strictObject({ type: z.literal('stopping'), reason: stopReasonSchema }),
  held: z.strictObject({ type: z.literal('held'), arm: count, untilUs: n }),
  dropped: z.strictObject({ type: z.literal('dropped'), arm: count, why: text }),
  done: z.strictObject({ type: z.literal('done'), record }),
} satisfies { [T in FromSender['type']]: z.ZodType<Extract<FromSender, { type: T }>> }

const { ready, ...others } = FROM_SENDER

export const fromSenderSchema: z.ZodType<FromSender> = z.discriminatedUnion('type', [ready, ...Object.values(others)])
