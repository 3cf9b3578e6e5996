/** What a long run says of growth: the memory of what was watched, and the latency of each arm. */
import { z } from 'zod'
import { count } from './fields.ts'

const perHour = z.number()

const trendSchema = z.strictObject({
  of: z.enum(['memory', 'p50', 'p99']).describe('resident memory of a process in MiB; or the latency of an arm in ms'),
  name: z.string().describe('name of the process, or of the arm'),
  values: count.describe('means of windows of readings, or blocks, that were judged'),
  line: z
    .strictObject({
      fromS: z.number().describe('where it begins, in seconds of the measurement'),
      toS: z.number().describe('where it ends'),
      from: z.number().describe('value at its beginning'),
      to: z.number().describe('value at its end'),
    })
    .nullable()
    .describe('the line through the values, by Theil and Sen; null where there are too few values'),
  perHour: perHour.nullable().describe('its slope, in MiB or ms an hour'),
  perHour99: z
    .tuple([perHour, perHour])
    .nullable()
    .describe('99 % interval of the slope, by Sen; null where too few values are independent to bound it'),
  perHourShare: perHour.nullable().describe('the slope over the value at the beginning'),
  p: z.number().nullable().describe('probability of so clear a trend where there is none, by Mann and Kendall'),
  verdict: z
    .enum(['grows', 'falls', 'steady', 'cannot-tell'])
    .describe('grows, falls: surely; steady: surely by less than matters an hour (memory 1 %, latency 5 %)'),
  why: z.string().nullable().describe('why it cannot be told; null where it can'),
})

export const soakSchema = z
  .strictObject({
    leftOutS: z.number().describe('seconds at the beginning that are not judged: a quarter, in which servers settle'),
    trends: z.array(trendSchema).min(1).describe('each process, then each arm at P50 and P99'),
  })
  .describe('memory and latency over hours; absent where the run is shorter than 30 min, which is too short to tell')

export type Soak = z.infer<typeof soakSchema>
export type SoakTrend = z.infer<typeof trendSchema>
