/** A line of `kt bench --samples`: one request. Times are microseconds after the start of the measurement. */
import { z } from 'zod'
import { OUTCOME_CODES } from '../wire/outcome.ts'
import { count } from './fields.ts'

const time = z.int().nullable()

export const sampleSchema = z
  .strictObject({
    arm: z.string().describe('name of its arm'),
    block: count.describe('number of its block'),
    nonce: z.string().describe("its nonce, by which the simulated provider's record knows it"),
    intendedUs: time.describe('when the schedule wanted it'),
    sentUs: time.describe('when it was handed to the socket; null: never'),
    firstByteUs: time.describe('first byte of the body; null: none came'),
    firstTokenUs: time.describe('first token; null: none came'),
    lastTokenUs: time.describe('last token; null: none came'),
    endUs: time.describe('when it ended'),
    tokens: count.nullable().describe('its output tokens; null where nothing tells'),
    outcome: z.enum(OUTCOME_CODES).describe('the class of how it ended'),
  })
  .describe('a line of kt bench --samples: one request')

export type Sample = z.infer<typeof sampleSchema>
