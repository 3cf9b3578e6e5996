/** What the tokens of a run cost, by the price of their model. */
import { z } from 'zod'
import { count, modelField } from './fields.ts'

const usd = z.number().nonnegative()

export const costSchema = z
  .strictObject({
    usd: usd.describe('US dollars, over all arms'),
    budgetUsd: usd.nullable().describe('limit that was asked for (--cost-budget); null: none'),
    model: modelField,
    inputUsd: usd.describe('US dollars a million input tokens'),
    outputUsd: usd.describe('US dollars a million output tokens'),
    date: z.string().nullable().describe('date of the price; null for a price of --price'),
    source: z.string().describe('where the price comes from'),
    arms: z
      .array(
        z.strictObject({
          name: z.string().describe('name of the arm'),
          inputTokens: count.describe('input tokens of every request, in the warm-up and validating ones too'),
          outputTokens: count.describe('output tokens of the same'),
          usd: usd.describe('US dollars'),
        }),
      )
      .describe('by arm; tokens are those of the usage that answers tell, else of four bytes each'),
  })
  .describe('what the tokens of the run cost, without discounts for cached prompts')

/** Where a price comes from, in words. */
export function priceBasis({ source, date }: { source: string; date: string | null }): string {
  return date === null ? source : `${source}, ${date}`
}
