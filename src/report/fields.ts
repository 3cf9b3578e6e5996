/**
 * The values that reports are made of, as zod schemas: counts, milliseconds, intervals, histograms, outcomes, names.
 * Every property of a format has a description, here or where it stands: the JSON Schemas and docs/reference/formats.md
 * carry it. What has an `id` stands once in a JSON Schema, and is referred to.
 */
import { z } from 'zod'
import { ENDPOINTS } from '../wire/endpoints.ts'
import { OUTCOME_CODES } from '../wire/outcome.ts'

export const count = z.int().nonnegative()
export const ms = z.number()
/** [lower, upper]; null is an open upper end. */
export const interval = z.tuple([ms, ms.nullable()])

/** The name and version of a format, the first property of each. */
export function formatName<const Name extends string>(name: Name) {
  return z.literal(name).describe('name and version of this format')
}

export const ktVersionField = z.string().describe('version of kt')
export const ktSchema = z
  .strictObject({
    version: ktVersionField,
    gitSha: z.string().nullable().describe('commit of kt, where it ran from a checkout of its own'),
  })
  .describe('the kt that measured')
export const startedAt = z.iso.datetime().describe('when it began')
export const command = z.string().describe('the command line, without secrets')
export const endpointField = z.enum(ENDPOINTS).describe('which API was asked')
export const modelField = z.string().describe('model that was asked for')
export const streamField = z.boolean().describe('whether answers were streamed')
export const urlField = z.string().describe('address, without its query')

export const commitSchema = z
  .strictObject({
    sha: z.string().describe('its id'),
    branch: z.string().optional().describe('branch, or that of the pull request'),
    dirty: z.literal(true).optional().describe('files of the checkout differed from it'),
    from: z
      .enum(['github', 'gitlab', 'azure', 'bitbucket', 'buildkite', 'circleci', 'jenkins', 'git'])
      .describe('what told it: the environment of a CI, or git in the folder where kt was started'),
  })
  .meta({ id: 'commit', description: 'the commit that was measured' })
export const labelsSchema = z.record(z.string(), z.string()).describe('what --label gave')

export const p50 = ms.describe('median')
export const p90 = ms.describe('90th percentile')
export const p95 = ms.describe('95th percentile')
export const p99 = ms.describe('99th percentile')
export const largest = ms.describe('largest value')

export const histogramSchema = z
  .strictObject({
    hdr: z.base64().describe('HdrHistogram V2, compressed, in base64; integer microseconds'),
    minUs: z.number().describe('smallest value, exact, in microseconds'),
    maxUs: z.number().describe('largest value, exact, in microseconds'),
    sumUs: z.number().describe('sum of all values, in microseconds'),
    negative: count.describe('values below 0, which are recorded as 0'),
  })
  .meta({ id: 'histogram', description: 'a histogram of durations' })

/** A measured distribution of durations. It is absent where nothing was measured, never filled with zeros. */
export const distributionSchema = z
  .strictObject({
    count: z.int().positive().describe('values'),
    mean: ms.describe('arithmetic mean'),
    min: ms.optional().describe('the smallest value'),
    stdDev: ms.optional().describe('standard deviation; like min absent in reports of earlier versions'),
    p50,
    p90,
    p95,
    p99,
    p999: ms.describe('99.9th percentile'),
    max: largest,
    iid95: z
      .strictObject({ p50: interval.describe('of the median'), p99: interval.describe('of the 99th percentile') })
      .describe('order-statistic intervals, valid only for independent requests: shown, never judged'),
    histogram: histogramSchema,
  })
  .meta({ id: 'distribution', description: 'a distribution in milliseconds' })

export const outcomesSchema = z
  .partialRecord(z.enum(OUTCOME_CODES), count)
  .meta({ id: 'outcomes', description: 'requests by the class of how they ended' })
export const definitionSchema = z
  .enum([
    'provider-stamped',
    'self-reported',
    'upstream-reported',
    'provider-reported',
    'paired',
    'quantile-difference',
  ])
  .describe('how the overhead was read')
export const roleSchema = z.enum(['direct', 'gateway', 'unknown']).describe('what answers at the address')
export const verdictSchema = z.enum(['pass', 'fail', 'inconclusive']).describe('the verdict')
export const clientSchema = z
  .enum(['ok', 'saturated', 'noisy', 'rate-not-reached'])
  .describe('what kt says of itself as a measuring instrument')
export const tokenSourceSchema = z
  .enum(['usage', 'tokenizer', 'events', 'mixed', 'none'])
  .describe('what the tokens were counted by; mixed: some answers by one, others by another')
