/** The contract `kt.slo/1`, what `kt slo check --json` prints. */
import { z } from 'zod'
import { count, formatName, verdictSchema } from './fields.ts'
import { noiseSchema, sloSchema } from './verdict-schema.ts'

export const SLO_SCHEMA = 'kt.slo/1'

export const sloJudgementSchema = z
  .strictObject({
    schema: formatName(SLO_SCHEMA),
    file: z.string().describe('file of the report'),
    startedAt: z.string().describe('when the run began'),
    categoryBy: z
      .enum(['name', 'match', 'request'])
      .describe('chosen by name, by endpoint and prompt tokens of the whole run, or for each request as it was made'),
    requests: count.describe('requests sent'),
    uncategorised: count.describe('requests without a category, which are not judged'),
    verdict: verdictSchema.describe('the worst of all categories'),
    slo: z.array(sloSchema).describe('an entry for each category'),
    noise: noiseSchema.nullable(),
  })
  .describe('kt slo check: a run judged by the SLO of its category')

export type SloJudgement = z.infer<typeof sloJudgementSchema>
