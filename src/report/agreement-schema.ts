/** Whether the answers of both arms of a run agree. */
import { z } from 'zod'
import { count } from './fields.ts'

export const agreementSchema = z.strictObject({
  compared: count.describe('requests whose answers in both arms were compared'),
  every: z.int().positive().describe('one of so many requests was chosen for it'),
  differing: count.describe('requests whose answers differed at first; their nonces differed too'),
  askedAgain: count.describe('of these, the requests that the other arm was asked again, as the first arm got them'),
  notRepeated: count.describe('of these, requests that the other arm answered in two ways'),
  changed: count.nullable().describe('answers that the first arm changed; null where nobody can tell'),
  why: z.enum(['not-repeated', 'not-asked']).optional().describe('why nobody can tell'),
  example: z
    .strictObject({
      request: count.describe('its number in the run'),
      choice: count,
      kind: z.enum(['visible', 'reasoning', 'tool']),
      at: count.describe('the first character that differs, from 0'),
      other: z.string().describe('what the other arm says there'),
      through: z.string(),
    })
    .optional(),
  blocks: z.array(z.strictObject({ index: count, compared: count, changed: count })).describe('of the first arm'),
})
