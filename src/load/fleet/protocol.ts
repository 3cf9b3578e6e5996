/**
 * What coordinator and workers say to each other, on which subjects, and how it is written. Everything of a run stands
 * under a subject of that run. Orders go to all workers of a run at once and are said again until each has heard them;
 * results go through a JetStream stream of the run, which keeps them. Values are in V8's format, which knows typed
 * arrays and NaN, and are checked by zod where they come in.
 */
import { deserialize, serialize } from 'node:v8'
import { z } from 'zod'
import { failure, type Result, success } from '../../errors.ts'
import type { MachineEvidence } from '../../system/machine-watch.ts'
import type { TextSource, WorkloadPart, WorkloadSpec } from '../../workload/workload.ts'
import type { ArmPlan, Load, RunPlan } from '../plan.ts'
import type { ToSender } from '../senders.ts'
import { fromSenderSchema, stopReasonSchema } from './record-schema.ts'

export const SUBJECTS = {
  /** Who is there? Each worker answers with its card. */
  who: 'kt.fleet.who',
  /** Work for this run, if you are free. */
  hire: (worker: string) => `kt.fleet.hire.${worker}`,
  /** Asked of a worker that waits for work: its clock. */
  clockOf: (worker: string) => `kt.fleet.clock.${worker}`,
  orders: (run: string) => `kt.run.${run}.orders`,
  /** Asked of the coordinator: a part of a plan. */
  plan: (run: string) => `kt.run.${run}.plan`,
  /** Asked of the coordinator: its clock. */
  clock: (run: string) => `kt.run.${run}.clock`,
  /** Asked of the coordinator: the next rows of the trace that is replayed, with what left of those before. */
  rows: (run: string) => `kt.run.${run}.rows`,
  /** A worker is there, and what is lost without harm. */
  alive: (run: string, index: number | '*') => `kt.run.${run}.alive.${index}`,
  /** What must not be lost: kept by the stream of the run. */
  results: (run: string, index: number | 'about' | '>') => `kt.run.${run}.results.${index}`,
}

export const streamOf = (run: string): string => `KT_RUN_${run}`
/** The names of runs are made of these, since they are a part of subjects. */
const RUN_NAME = /^[\w-]{1,64}$/

/** Coordinator and workers say as often that they are there. */
export const BEAT_MS = 500
/** Where the broker answers and the other side says nothing for so long, it is gone. */
export const SILENCE_MS = 4_000
/** A thread whose timer comes so late stood still. */
export const AWAY_MS = 1_000
/** A worker that begins so much after the others came late. */
export const LATE_MS = 250

/** Each worker of up to so many says all of its progress; each of more a part of it, as many messages together. */
const ALL_PROGRESS = 1_000
const PROGRESS_A_SECOND = 4_000

/**
 * Whether a worker of `count` says a progress, after that of `beforeUs`: all of them at the same seconds of a phase.
 */
export function isProgressTold(count: number, elapsedUs: number, beforeUs: number): boolean {
  if (count <= ALL_PROGRESS) return true
  const everyUs = Math.ceil(count / PROGRESS_A_SECOND) * 1e6
  return Math.floor(elapsedUs / everyUs) !== Math.floor(beforeUs / everyUs)
}

/** Workers ask for the time one after another, so that the questions of thousands do not wait for each other. */
export const CLOCK_EVERY_MS = 1

const n = z.union([z.number(), z.nan()])
const count = z.int().nonnegative()
const name = z.string().min(1).max(200)

export const cardSchema = z.strictObject({
  /** Drawn when it starts. */
  id: z.string().regex(RUN_NAME),
  name,
  labels: z.record(z.string(), z.string()),
  version: z.string(),
  node: z.string(),
  cores: count,
  /** Load average of a minute. */
  load: z.number(),
  /** The run that it works for. */
  run: z.string().nullable(),
})
export type Card = z.infer<typeof cardSchema>

export const hireSchema = z.strictObject({
  run: z.string().regex(RUN_NAME),
  index: count,
  version: z.string(),
  graceMs: z.number().positive(),
})

/** By type of message: the compiler names one that is missing. */
const TO_SENDER = {
  begin: z.strictObject({ type: z.literal('begin'), startUs: z.number() }),
  'interim-done': z.strictObject({ type: z.literal('interim-done'), goOn: z.boolean() }),
  hold: z.strictObject({ type: z.literal('hold'), arm: count, untilUs: z.number() }),
  drop: z.strictObject({ type: z.literal('drop'), arm: count, why: z.string() }),
  stop: z.strictObject({ type: z.literal('stop'), reason: stopReasonSchema, drainUs: z.number() }),
  taken: z.strictObject({ type: z.literal('taken') }),
} satisfies { [T in ToSender['type']]: z.ZodType<Extract<ToSender, { type: T }>> }

const { begin, ...others } = TO_SENDER
const toSender: z.ZodType<ToSender> = z.discriminatedUnion('type', [begin, ...Object.values(others)])

/** What a provider may be told: how long it takes, and how much it says. */
const UPSTREAM_FLAG = /^(?:--(?:ttft|token-gap|tokens|http2)|[\w.(),]{1,100})$/

const orderSchema = z.discriminatedUnion('type', [
  /** Send your share of a plan, which is fetched in parts; workers from `count` on have none. */
  z.strictObject({
    ...{ type: z.literal('job'), job: count, count, parts: count, samples: z.boolean() },
    live: z.array(z.string()).optional(),
    /** Flags of a provider beside the worker, to which it sends instead. */
    upstream: z.array(z.string().regex(UPSTREAM_FLAG)).optional(),
  }),
  z.strictObject({ type: z.literal('tell'), job: count, index: count.optional(), message: toSender }),
  /** What is still sent for this job is ended; it has no result. */
  z.strictObject({ type: z.literal('abandon'), job: count }),
  z.strictObject({ type: z.literal('release') }),
])
export type Order = z.infer<typeof orderSchema>

/** Orders are numbered from 1 on, and said again until every worker has heard them. */
export const ordersSchema = z.array(z.strictObject({ seq: count, order: orderSchema }))

/** The question for a part of a plan. */
export const partSchema = z.strictObject({ job: count, part: count })

const times = z.instanceof(Float64Array<ArrayBuffer>)
const numbers = z.instanceof(Uint32Array<ArrayBuffer>)

/** The question for the next rows of a trace. It is asked again until it is answered. */
export const rowsAskedSchema = z.strictObject({
  /** Who asks, and of how many. */
  ...{ index: count, count: count.positive() },
  /** The next row it has no knowledge of, and how many it has room for. */
  ...{ from: count, room: count },
  /** It is done with the rows before `taken`; those before `told` it has told before. */
  ...{ told: count, taken: count },
  /** When its own rows in between left, by the coordinator's clock: of each row all arms; NaN where it did not. */
  left: times,
})
export type RowsAsked = z.infer<typeof rowsAskedSchema>

/** The numbers of each row in `sizes`. */
export const SIZES_OF_A_ROW = 3

export const rowsSchema = z
  .strictObject({
    ...{ from: count, blockTokens: count },
    /** When each is due. */
    due: times,
    /** Of each its input tokens, its output tokens, and how many of `ids` are its own. */
    ...{ sizes: numbers, ids: numbers },
    /** Others are there by now. */
    more: z.boolean(),
    /** Whether others come after these. */
    end: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('over'), atUs: z.number() }),
      /** The trace is faulty, which the coordinator tells. */
      z.strictObject({ kind: z.literal('failed') }),
    ]),
  })
  .refine(({ due, sizes }) => sizes.length === SIZES_OF_A_ROW * due.length, 'sizes of other rows')
export type Rows = z.infer<typeof rowsSchema>

/** When a question for the time came, and when its answer left. */
export const timesSchema = z.strictObject({ receivedUs: z.number(), sentUs: z.number() })

export const aliveSchema = z.strictObject({
  /** The number of the last order that it carried out. */
  heard: count,
  job: count.optional(),
  message: fromSenderSchema.optional(),
})

const offset = z.strictObject({
  offsetUs: n,
  errorUs: n,
  roundTripUs: n,
  driftUs: n.nullable(),
  /** Why the second measurement, or the two together, failed. */
  fault: z.string().nullable(),
})

const machineSchema: z.ZodType<MachineEvidence> = z.strictObject({
  ...{ spanMs: n, waitMs: n, targetsWaitMs: n.nullable(), pressure: n.nullable(), stealMs: n.nullable() },
  ...{ throttledMs: n.nullable(), starvedMs: n, starvedSpells: count, source: z.enum(['schedstat', 'probe']) },
})

/** What a worker says of itself with its record. */
const factsSchema = z.strictObject({
  clock: offset,
  /** When it stood still, by the coordinator's clock. */
  away: z.array(z.strictObject({ atUs: n, ms: n })),
  /** How late it heard of a common start, at most. */
  lateMs: n,
  /** By arm, and by block in the order of the record. */
  machine: z.array(z.array(machineSchema)),
})
export type WorkerFacts = z.infer<typeof factsSchema>

export const resultSchema = z.strictObject({
  job: z.int(),
  message: fromSenderSchema,
  facts: factsSchema.optional(),
  /** The worker could not go on, and why. */
  failed: z.string().optional(),
})
export type WorkerResult = z.infer<typeof resultSchema>

export function write(value: unknown): Uint8Array {
  return serialize(value)
}

/** What others wrote, as `schema` has it. */
export function read<T>(schema: z.ZodType<T>, bytes: Uint8Array, what: string): Result<T> {
  let value: unknown
  try {
    value = deserialize(bytes)
  } catch {
    return failure(`${what} is not in a format that kt reads`)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return success(parsed.data)
  const [issue] = parsed.error.issues
  return failure(`${what}: ${issue?.path.join('.')}: ${issue?.message}`)
}

/** In pieces that the broker takes; one at least. */
export function* pieces(bytes: Uint8Array, most: number): Generator<Uint8Array> {
  for (let at = 0; at === 0 || at < bytes.length; at += most) yield bytes.subarray(at, at + most)
}

/** All keys of a T, or some of them, each with a schema: the compiler names one that T has not, or that is missing. */
type All<T> = { [K in keyof Required<T>]: z.ZodType<T[K]> }
type Some<T> = { [K in keyof T]?: z.ZodType }

const armSchema = z.strictObject({
  ...{ name, origin: z.url({ protocol: /^https?$/ }), path: z.string(), tag: z.string() },
  paths: z.array(z.string()).optional(),
  headers: z.record(z.string(), z.string()),
} satisfies All<ArmPlan>)

/** The compiler names one that is missing. */
const SOURCES = { given: 'given', generated: 'generated', trace: 'trace' } satisfies {
  [K in TextSource['kind']]: K
}

const workloadSchema = z.looseObject({
  endpoint: z.string(),
  seed: z.number(),
  parts: z
    .array(
      z.looseObject({
        weight: z.number(),
        stream: z.boolean(),
        source: z.looseObject({ kind: z.enum(SOURCES) }),
      } satisfies Some<WorkloadPart>),
    )
    .min(1),
} satisfies Some<WorkloadSpec>)

const LOADS = {
  closed: z.looseObject({ mode: z.literal('closed'), concurrency: count.positive() } satisfies Some<LoadOf<'closed'>>),
  open: z.looseObject({
    ...{ mode: z.literal('open'), rps: z.number(), maxInFlight: count.positive() },
  } satisfies Some<LoadOf<'open'>>),
} satisfies { [M in Load['mode']]: z.ZodType }
type LoadOf<M extends Load['mode']> = Extract<Load, { mode: M }>

/** The same version of kt wrote it, so that only what would send something else is looked at. */
export const planSchema = z.looseObject({
  arms: z.array(armSchema).min(1),
  workload: workloadSchema,
  load: z.discriminatedUnion('mode', [LOADS.closed, LOADS.open]),
  requests: count.optional(),
  durationUs: z.number().positive().optional(),
  blocks: count.positive(),
  warmup: count,
  timeoutUs: z.number().positive(),
} satisfies Some<RunPlan>) as unknown as z.ZodType<RunPlan>
