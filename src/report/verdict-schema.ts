/**
 * What a report says of its own verdict: checks and gate, the noise of the rig, interim analyses, the SLO of each
 * category.
 */
import { z } from 'zod'
import { count, interval, ms, verdictSchema } from './fields.ts'

export const checkSchema = z.strictObject({
  metric: z.string(),
  op: z.enum(['<', '<=', '>', '>=']),
  limit: z.number(),
  value: z.number().nullable(),
  ci95: interval.nullable(),
  verdict: verdictSchema,
  why: z.string(),
  /** How many requests would decide the check, where more of them would. */
  requestsNeeded: count.optional(),
})

export const gateSchema = z.strictObject({ verdict: verdictSchema, checks: z.array(checkSchema) })

export const noiseSchema = z
  .strictObject({
    source: z.enum(['aa', 'halves']).describe('aa: one address against itself; halves: a run against itself'),
    pairs: count,
    latencyMs: interval.optional(),
    overheadMs: interval.optional().describe('provider-stamped'),
  })
  .describe('noise floor of the rig, 95 %, by blocks: how much two identical arms differ at P99')

export const interimAnalysesSchema = z.strictObject({
  planned: z.array(count).describe('pairs of blocks after which the run was to be judged'),
  taken: z.array(z.strictObject({ pairs: count, verdict: verdictSchema })),
  alphaPass: z.number().describe('error probability of a PASS, at each analysis'),
  alphaFail: z.number().describe('error probability of a FAIL, at each analysis'),
})

export const sloSchema = z.strictObject({
  category: z.string(),
  requests: count.describe('requests of this category'),
  targetsMs: z.strictObject({
    p50: ms.nullable(),
    p99: ms.nullable(),
    ttftP50: ms.nullable(),
    ttftP99: ms.nullable(),
    timeout: ms,
  }),
  measuredMs: z.strictObject({
    p50: ms.nullable(),
    p99: ms.nullable(),
    ttftP50: ms.nullable(),
    ttftP99: ms.nullable(),
  }),
  goodput: z
    .strictObject({
      share: z.number().describe('share of the requests sent that were answered within every target'),
      exact: z.boolean().describe('false: a lower bound, because the misses of two targets were counted separately'),
    })
    .nullable(),
  errorBudget: z
    .strictObject({
      objective: z.number(),
      allowed: z.number(),
      bad: count,
      burn: z.number().describe('1 spends the budget exactly'),
    })
    .nullable(),
  verdict: verdictSchema,
  checks: z.array(checkSchema),
})
