/**
 * The values that reports are made of, as zod schemas: counts, milliseconds, intervals, histograms, outcomes, names.
 */
import { z } from 'zod'
import { OUTCOME_CODES } from '../wire/outcome.ts'

export const count = z.int().nonnegative()
export const ms = z.number()
/** [lower, upper]; null is an open upper end. */
export const interval = z.tuple([ms, ms.nullable()])

export const histogramSchema = z.strictObject({
  hdr: z.base64(),
  minUs: z.number(),
  maxUs: z.number(),
  sumUs: z.number(),
  negative: count,
})

/** A measured distribution of durations. It is absent where nothing was measured, never filled with zeros. */
export const distributionSchema = z.strictObject({
  count: z.int().positive(),
  mean: ms,
  p50: ms,
  p90: ms,
  p95: ms,
  p99: ms,
  p999: ms,
  max: ms,
  iid95: z
    .strictObject({ p50: interval, p99: interval })
    .describe('order-statistic intervals, valid only for independent requests: shown, never judged'),
  histogram: histogramSchema,
})

export const outcomesSchema = z.partialRecord(z.enum(OUTCOME_CODES), count)
export const definitionSchema = z.enum([
  'provider-stamped',
  'self-reported',
  'upstream-reported',
  'provider-reported',
  'paired',
  'quantile-difference',
])
export const roleSchema = z.enum(['direct', 'gateway', 'unknown'])
export const verdictSchema = z.enum(['pass', 'fail', 'inconclusive'])
export const clientSchema = z.enum(['ok', 'saturated', 'noisy', 'rate-not-reached'])
export const tokenSourceSchema = z
  .enum(['usage', 'tokenizer', 'events', 'mixed', 'none'])
  .describe('what the tokens were counted by; mixed: some answers by one, others by another')
