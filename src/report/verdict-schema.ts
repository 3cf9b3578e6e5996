/**
 * What a report says of its own verdict: checks and gate, the noise of the rig, interim analyses, the SLO of each
 * category.
 */
import { z } from 'zod'
import { count, interval, ms, verdictSchema } from './fields.ts'

export const checkSchema = z
  .strictObject({
    arm: z.string().optional().describe('of several gateways: which one'),
    metric: z.string().describe('what is judged'),
    op: z.enum(['<', '<=', '>', '>=']).describe('how the value must stand to the limit'),
    limit: z.number().describe('limit, in the unit of the metric'),
    value: z.number().nullable().describe('what was measured'),
    ci95: interval.nullable().describe('interval of the value, by blocks'),
    verdict: verdictSchema,
    why: z.string().describe('the reason in words'),
    requestsNeeded: count.optional().describe('how many requests would decide it, where more of them would'),
  })
  .meta({ id: 'check', description: 'a limit, and whether it is kept' })

const checks = z.array(checkSchema).describe('each limit that was judged')

export const gateSchema = z
  .strictObject({ verdict: verdictSchema.describe('the worst of its checks'), checks })
  .describe('the verdict on all limits')

export const noiseSchema = z
  .strictObject({
    source: z.enum(['aa', 'halves']).describe('aa: one address against itself; halves: a run against itself'),
    pairs: count.describe('pairs of blocks'),
    latencyMs: interval.optional().describe('of the latency'),
    overheadMs: interval.optional().describe('of the overhead, provider-stamped'),
  })
  .describe('noise floor of the rig, 95 %, by blocks: how much two identical arms differ at P99')

export const interimAnalysesSchema = z
  .strictObject({
    planned: z.array(count).describe('pairs of blocks after which the run was to be judged'),
    taken: z
      .array(z.strictObject({ pairs: count.describe('pairs of blocks so far'), verdict: verdictSchema }))
      .describe('the analyses that were made'),
    alphaPass: z.number().describe('error probability of a PASS, at each analysis'),
    alphaFail: z.number().describe('error probability of a FAIL, at each analysis'),
  })
  .describe('of a run that ends as soon as it is decided')

const tails = {
  p50: ms.nullable().describe('median latency'),
  p99: ms.nullable().describe('99th percentile of latency'),
  ttftP50: ms.nullable().describe('median time to first token'),
  ttftP99: ms.nullable().describe('99th percentile of the time to first token'),
}

export const sloSchema = z.strictObject({
  category: z.string().describe('name of the category'),
  requests: count.describe('requests of this category'),
  targetsMs: z
    .strictObject({ ...tails, timeout: ms.describe('timeout of a request') })
    .describe('the upper limits of the category; null: none'),
  measuredMs: z.strictObject(tails).describe('what was measured; null: nothing'),
  goodput: z
    .strictObject({
      share: z.number().describe('share of the requests sent that were answered within every target'),
      exact: z.boolean().describe('false: a lower bound, because the misses of two targets were counted separately'),
    })
    .nullable()
    .describe('requests that met all targets'),
  errorBudget: z
    .strictObject({
      objective: z.number().describe('share of requests that must be good'),
      allowed: z.number().describe('requests that may be bad'),
      bad: count.describe('requests that were bad'),
      burn: z.number().describe('bad over allowed: 1 spends the budget exactly'),
    })
    .nullable()
    .describe('what the objective leaves for bad requests'),
  verdict: verdictSchema,
  checks,
})
