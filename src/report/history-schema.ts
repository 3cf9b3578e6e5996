/** The contract `kt.history/1`, what `kt bench history --json` prints. */
import { z } from 'zod'
import { commitSchema, count, definitionSchema, formatName, labelsSchema } from './fields.ts'

export const HISTORY_SCHEMA = 'kt.history/1'

const file = z.string().describe('file of the report')
const startedAt = z.string().describe('when the run began')

const runSchema = z.strictObject({
  file,
  startedAt,
  kt: z.string().describe('version of kt'),
  commit: commitSchema.optional(),
  labels: labelsSchema.optional(),
  value: z.number().describe('the metric'),
})

const changeSchema = z.strictObject({
  index: count.describe('position of the first run of the new level'),
  file,
  startedAt,
  commit: commitSchema.optional(),
  labels: labelsSchema.optional(),
  before: z.number().describe('median of the level before'),
  after: z.number().describe('median of the level after'),
  delta: z.number().describe('after - before'),
  deltaShare: z.number().nullable().describe('delta / before; null where that was 0'),
  p: z.number().describe('probability of such a change by chance'),
})

export const historySchema = z
  .strictObject({
    schema: formatName(HISTORY_SCHEMA),
    folder: z.string().describe('folder of the reports'),
    metric: z.string().describe('name of the metric'),
    unit: z.enum(['ms', 'share', 'per second']).describe('its unit'),
    definition: definitionSchema.nullable().describe('of the reading, where the metric is an overhead'),
    runs: z.array(runSchema).describe('in the order in which they were measured'),
    changes: z.array(changeSchema).describe('where the level changed'),
    left: z
      .array(z.strictObject({ file, why: z.string().describe('the reason in words') }))
      .describe('files that are left out'),
  })
  .describe('kt bench history: a metric over the reports of a folder')

export type History = z.infer<typeof historySchema>
export type HistoryRun = z.infer<typeof runSchema>
export type HistoryChange = z.infer<typeof changeSchema>
