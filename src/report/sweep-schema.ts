/**
 * The contract `kt.sweep/1`: the measured levels of load and what follows from their curve. There is one curve, or
 * one for each number of processes of the embedded gateway.
 */
import { z } from 'zod'
import { METRICS, SWEEP_METRICS, type SweepMetric } from '../slo/metrics.ts'
import { answersSchema } from './arm-schema.ts'
import {
  clientSchema,
  command,
  commitSchema,
  count,
  endpointField,
  formatName,
  interval,
  ktSchema,
  labelsSchema,
  modelField,
  ms,
  p50,
  p99,
  roleSchema,
  startedAt,
  streamField,
  tokenSourceSchema,
  urlField,
} from './fields.ts'
import { sentWorkloadSchema } from './workload-schema.ts'

export const SWEEP_SCHEMA = 'kt.sweep/1'

const perSec = z.number()
const pair = z.strictObject({ p50, p99 })
const achievedRps = perSec.describe('requests a second that were reached')
const processes = z.int().positive().describe('processes of the embedded gateway')
const reached = z.number().nullable().describe('the level; null: none')

const nullablePair = (metric: SweepMetric) =>
  pair.nullable().describe(`${METRICS[metric].label}; null where nothing has it`)

/** P50 and P99 of each metric that a level holds: latencyMs, ttftMs, ... */
const quantilesShape = Object.fromEntries(
  SWEEP_METRICS.map((metric) => [`${metric}Ms`, nullablePair(metric)]),
) as Record<`${SweepMetric}Ms`, ReturnType<typeof nullablePair>>

const limit = ms.describe('limit of the added P99')

const limitSchema = z
  .strictObject({
    verdict: z.enum(['met', 'missed', 'undecided']).describe('by the interval, over all measurements of the level'),
    value: z.number().nullable().describe('the figure of the threshold, in ms or as a share; null: nothing tells it'),
    ci95: interval.nullable().describe('its interval, by blocks; null: nothing tells it'),
    requests: count.describe('requests that were judged, or tokens'),
    runs: count.describe('how often the level was measured'),
    why: z.string().optional().describe('what it was judged by, where that is not the figure'),
  })
  .describe('whether the level keeps the threshold of --until')

const untilSchema = z
  .strictObject({
    threshold: z.string().describe('the threshold, as it was asked for'),
    level: reached.describe('the highest level that is proven to keep it; null: none'),
    achievedRps: achievedRps.nullable().describe('requests a second there'),
    breaks: reached.describe('the lowest level that is proven to break it; null: none'),
    breaksRps: achievedRps.nullable().describe('requests a second there'),
    undecided: z.array(z.number()).describe('levels between them that neither keep nor break it for sure'),
    confidence: z.number().describe('of each of both ends'),
    searchS: z.number().describe('how long the search between the levels took'),
    limitedBy: z
      .enum([
        'target',
        'rate',
        'errors',
        'client',
        'noise',
        'samples',
        'no-samples',
        'levels',
        'time',
        'cost',
        'interrupted',
      ])
      .describe('why no higher level keeps it, or is known to'),
    why: z.string().describe('the same in words'),
  })
  .nullable()
  .describe('what --until found; null where it was not asked')

const levelSchema = z.strictObject({
  level: z.number().describe('requests a second in an open loop, requests in flight in a closed one'),
  requests: count.describe('requests sent'),
  failed: count.describe('of these, the failed ones'),
  answers: answersSchema.optional(),
  achievedRps,
  throughputError: z.number().describe('standard error of the throughput over its mean, by seconds'),
  inputTokensPerSec: perSec.nullable().describe('input tokens; null where nothing counted them'),
  outputTokensPerSec: perSec.nullable().describe('output tokens; null where nothing counted them'),
  eventsPerSec: perSec.describe('events of streams'),
  bytesPerSec: perSec.describe('bytes of answers, as they came'),
  tokenSource: tokenSourceSchema,
  hiddenTokensPerSec: perSec
    .optional()
    .describe('the part of the output tokens that is reasoning whose text is unseen'),
  inFlight: z
    .strictObject({ mean: z.number().describe('over the time'), max: z.int().describe('at most') })
    .nullable()
    .describe('requests in flight; streams, where answers are streamed'),
  gateway: z
    .strictObject({ cpuCores: z.number().describe('busy cores'), rssBytes: z.int().describe('resident memory') })
    .nullable()
    .describe('processes of the gateway, embedded or --gateway-pid: busy cores and the highest resident memory'),
  ...quantilesShape,
  overheadMs: pair
    .extend({ ci95: interval.describe('interval of P99, by blocks') })
    .nullable()
    .describe('what the gateway added; null where nothing tells it'),
  client: clientSchema,
  achievedToOffered: z.number().nullable().describe('rate that was reached over the rate that was asked for'),
  steady: z.boolean().describe('whether the level came to rest'),
  skippedBlocks: count.describe('blocks excluded at the beginning, because the run was not steady yet'),
  limit: limitSchema.optional(),
})

const cutOffSchema = z
  .strictObject({
    level: z.number().describe('the level'),
    answered: count.describe('requests that were answered in it'),
    why: z
      .enum(['interrupted', 'cost'])
      .describe('interrupted: it is not among the levels; cost: the budget was spent'),
  })
  .describe('a level that did not last as long as it should')

const curveSchema = z.strictObject({
  gatewayWorkers: processes.nullable().describe('processes of the embedded gateway; null for another gateway'),
  levels: z.array(levelSchema).describe('the measured levels, rising'),
  cutOff: cutOffSchema.optional(),
  knee: z
    .strictObject({ level: z.number().describe('the level'), achievedRps, why: z.string().describe('how it shows') })
    .nullable()
    .describe('where the curve bends; null where it does not'),
  frontier: z
    .array(
      z.strictObject({
        limitMs: limit,
        level: reached,
        achievedRps: achievedRps.nullable().describe('requests a second there'),
        certain: z.boolean().describe('the whole interval of that level lies under the limit'),
      }),
    )
    .describe('for each limit the highest level whose added P99, and that of every lower one, stays within it'),
  until: untilSchema,
})

export const sweepSchema = z.strictObject({
  schema: formatName(SWEEP_SCHEMA),
  kt: ktSchema,
  startedAt,
  command,
  commit: commitSchema.optional(),
  labels: labelsSchema.optional(),
  interrupted: z.boolean().describe('the user ended the sweep early'),
  machine: z
    .strictObject({
      cpuModel: z.string().describe('model of the CPU'),
      cores: z.int().describe('cores that kt may use'),
      node: z.string().describe('version of Node'),
    })
    .describe('the machine that measured'),
  target: z
    .strictObject({
      url: urlField,
      endpoint: endpointField,
      model: modelField,
      stream: streamField,
      role: roleSchema,
      gateway: z.string().optional().describe('the gateway that answers there, where it names itself'),
    })
    .describe('what was asked'),
  load: z
    .strictObject({
      mode: z.enum(['closed', 'open']).describe('closed: so many in flight; open: so many a second'),
      levels: z.array(z.number()).describe('levels that were asked for'),
      stepS: z.number().describe('length of each level'),
      seed: z.int().describe('the same seed sends the same requests'),
      options: z.record(z.string(), z.unknown()).describe('the other options of the sweep, without secrets'),
    })
    .describe('when and how requests were sent'),
  workload: sentWorkloadSchema,
  overheadSource: z.string().nullable().describe('how the added time was read; null where nothing tells it'),
  curves: z.array(curveSchema).min(1).describe('a curve for each number of processes of the gateway'),
  scaling: z
    .array(
      z.strictObject({
        gatewayWorkers: processes,
        level: z.number().describe('the level of it'),
        achievedRps,
        timesFirst: z.number().describe('throughput relative to that of the first number of processes'),
      }),
    )
    .nullable()
    .describe('the highest throughput of each number of processes'),
})

export type SweepReport = z.infer<typeof sweepSchema>
export type SweepCurve = z.infer<typeof curveSchema>
export type SweepLevel = z.infer<typeof levelSchema>
