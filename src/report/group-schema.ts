/** Requests of an arm in groups: a row for each model. */
import { z } from 'zod'
import { count, distributionSchema } from './fields.ts'

/** What every group tells, under whatever name. */
const groupShape = {
  sent: count.describe('requests sent'),
  successful: count.describe('of these, the answered ones'),
  failed: count.describe('all others'),
  latencyMs: distributionSchema.optional().describe('latency of its requests'),
  ttftMs: distributionSchema.optional().describe('time to first token of its streams'),
  tpotMs: distributionSchema.optional().describe('time per output token of its streams'),
  overheadMs: distributionSchema
    .optional()
    .describe("what the gateway added, by the provider's stamps, else by its own headers"),
  outputTokensPerSec: z.number().nullable().describe('output tokens; null where some answers tell none'),
}

export const modelsSchema = z
  .array(z.strictObject({ model: z.string().describe('its name'), ...groupShape }))
  .describe('of a run with several models (--model a=3,b=1): its requests by model')

export const cacheSchema = z
  .strictObject({
    hitRate: z.number().describe('hits over answered requests'),
    repeated: count.describe('answered requests that repeated one of the pool'),
    toldBy: z
      .strictObject({
        header: count.describe("by the gateway's header"),
        stamp: count.describe("by the provider's stamp"),
        schedule: count.describe('by nothing in the answer: a repeated request counts as a hit'),
      })
      .describe('answers by what told whether a cache gave them'),
    hits: z.strictObject(groupShape).describe('answered by a cache: all of their time is overhead'),
    misses: z.strictObject(groupShape).describe('all others, the failed ones among them'),
  })
  .describe('of a run that repeats requests (--cache-hits): hits and misses of a cache; hits are in no other overhead')

export const cacheHitsSchema = z
  .strictObject({
    share: z.number().describe('of the requests'),
    pool: count.describe('requests that were sent and answered before the run, to be repeated'),
  })
  .describe('requests that repeated others, so that a cache could answer them')

export const modelSharesSchema = z
  .array(
    z.strictObject({
      name: z.string().describe('as --model gives it'),
      weight: z.number().positive().describe('its share of the requests, over the sum of all'),
    }),
  )
  .describe('the models that were asked for, by weight; absent where it was one')
