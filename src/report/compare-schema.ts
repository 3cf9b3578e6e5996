/** The contract `kt.compare/1`, what `kt bench compare --json` prints: two runs side by side, and the verdict. */
import { z } from 'zod'
import { overheadTotalSchema } from './arm-schema.ts'
import {
  clientSchema,
  commitSchema,
  count,
  definitionSchema,
  formatName,
  interval,
  labelsSchema,
  ms,
  p50,
  p99,
  urlField,
  verdictSchema,
} from './fields.ts'
import { gateSchema, noiseSchema } from './verdict-schema.ts'

export const COMPARE_SCHEMA = 'kt.compare/1'

const modeSchema = z
  .enum(['overhead', 'regression'])
  .describe('the question: what a gateway adds to going direct, or what a new one adds to an old one')

const comparedRunSchema = z.strictObject({
  file: z.string().describe('file of its report'),
  url: urlField,
  startedAt: z.string().describe('when it began; empty: another tool does not tell'),
  commit: commitSchema.optional(),
  labels: labelsSchema.optional(),
  requests: count.describe('requests sent'),
  failed: count.describe('of these, the failed ones'),
  client: clientSchema.nullable().describe('whether kt kept up; null: another tool measured it'),
})

const side = z.number().nullable()
const openInterval = z.tuple([ms.nullable(), ms.nullable()])
const answers = count.nullable()
const iid = interval.nullable()

const rowSchema = z.strictObject({
  metric: z.string().describe('name of the figure'),
  unit: z.enum(['ms', 'share', 'per second']).describe('its unit'),
  baseline: side.describe('of the baseline; null where it has none'),
  gateway: side.describe('of the gateway; null where it has none'),
  delta: side.describe('gateway - baseline'),
  deltaShare: side.describe('delta / baseline; null where the baseline is 0'),
  iid95: z
    .strictObject({ baseline: iid.describe('of the baseline'), gateway: iid.describe('of the gateway') })
    .optional()
    .describe('order-statistic intervals, valid for independent requests only: shown, never judged'),
  fewBeyond: z.boolean().optional().describe('fewer than ten requests lie beyond this quantile'),
  answers: z
    .strictObject({ baseline: answers.describe('of the baseline'), gateway: answers.describe('of the gateway') })
    .optional()
    .describe('how many answers each side rests on, where these are not all of its requests; null: none'),
  delta95: openInterval
    .optional()
    .describe(
      'interval of the difference, by blocks, in milliseconds; null is an open end. Absent where the blocks do not ' +
        'hold the metric',
    ),
  verdict: z
    .enum(['worse', 'better', 'alike', 'open'])
    .optional()
    .describe(
      'worse and better differ from zero (for separate runs also from 15 % of drift); alike lies within 0.5 ms or ' +
        '10 %; all else is open. The gate asks its own question',
    ),
})

const comparedOverheadSchema = z.strictObject({
  of: z.enum(['old', 'gateway', 'floor']).describe('floor: the same reading without the gateway; old: the baseline'),
  definition: definitionSchema,
  source: z.string().describe('which header or stamp told it'),
  count: count.describe('readings'),
  totalMs: overheadTotalSchema,
  note: z.string().describe('what the reading covers and leaves out'),
  components: z
    .array(
      z.strictObject({
        name: z.string().describe('name of the part'),
        p50,
        p99,
        budgetMs: ms.nullable().describe('its budget at P99; null where it has none'),
        verdict: verdictSchema.nullable().describe('whether it keeps the budget; null where it has none'),
      }),
    )
    .optional()
    .describe('its parts beside their budgets: shown, never judged by the gate'),
})

export const compareSchema = z
  .strictObject({
    schema: formatName(COMPARE_SCHEMA),
    mode: modeSchema,
    modeWhy: z.string().describe('why this question'),
    pairing: z.enum(['paired', 'unpaired']).describe('paired: arms of one run that took turns'),
    baseline: comparedRunSchema.describe('the run that is compared with'),
    gateway: comparedRunSchema.describe('the run that is judged'),
    rows: z.array(rowSchema).describe('the figures of both'),
    overhead: z.array(comparedOverheadSchema).describe('what the gateway adds, by definition, with the floor'),
    differences: z
      .array(
        z.strictObject({
          what: z.string().describe('the condition'),
          baseline: z.string().describe('of the baseline'),
          gateway: z.string().describe('of the gateway'),
          forbids: z.boolean().describe('it makes the runs incomparable'),
        }),
      )
      .describe('in which conditions the runs differ'),
    notes: z.array(z.string()).describe('what there is to be said of the two runs beside their figures'),
    doubts: z.array(z.string()).optional().describe('those of the notes that put the figures in doubt'),
    judgedBy: z
      .strictObject({
        definition: definitionSchema,
        source: z.string().describe('which header or stamp told it'),
        caveat: z.string().describe('what the reading excludes or costs'),
        floor: z.string().nullable().describe('the floor in words; null where there is none'),
      })
      .nullable()
      .describe('the reading that the verdict rests on'),
    noise: noiseSchema.nullable(),
    gate: gateSchema.nullable().describe('the verdict; null where none was asked for'),
  })
  .describe('kt bench compare: two runs side by side')

export type Comparison = z.infer<typeof compareSchema>
export type ComparedRun = z.infer<typeof comparedRunSchema>
export type ComparedRow = z.infer<typeof rowSchema>
export type ComparedOverhead = z.infer<typeof comparedOverheadSchema>
