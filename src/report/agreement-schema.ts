/** Whether the answers of both arms of a run agree. */
import { z } from 'zod'
import { count } from './fields.ts'

const compared = count.describe('requests whose answers in both arms were compared')

export const agreementSchema = z.strictObject({
  compared,
  every: z.int().positive().describe('one of so many requests was chosen for it'),
  differing: count.describe('requests whose answers differed at first; their nonces differed too'),
  askedAgain: count.describe('of these, the requests that the other arm was asked again, as the first arm got them'),
  notRepeated: count.describe('of these, requests that the other arm answered in two ways'),
  changed: count.nullable().describe('answers that the first arm changed; null where nobody can tell'),
  why: z.enum(['not-repeated', 'not-asked']).optional().describe('why nobody can tell'),
  example: z
    .strictObject({
      request: count.describe('its number in the run'),
      choice: count.describe('which of its choices'),
      kind: z.enum(['visible', 'reasoning', 'tool']).describe('which of its texts'),
      at: count.describe('the first character that differs, from 0'),
      other: z.string().describe('what the other arm says there'),
      through: z.string().describe('what the first arm says there'),
    })
    .optional()
    .describe('the first answer that was changed'),
  blocks: z
    .array(
      z.strictObject({
        index: count.describe('number of the block'),
        compared,
        changed: count.describe('answers that the first arm changed'),
      }),
    )
    .describe('of the first arm'),
})
