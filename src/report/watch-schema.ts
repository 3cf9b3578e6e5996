/** What was watched beside a run, on the timeline of its series: processes, and what other servers told. */
import { z } from 'zod'
import { count, urlField } from './fields.ts'

/** The most readings of one thing that are kept: a longer run keeps them further apart. */
export const MOST_READINGS = 3_600
/** Of a page of metrics, whose readings have many values. */
export const MOST_SCRAPED_READINGS = 720
/** The most series of one page. */
export const MOST_SERIES = 40

const readingSecond = count.describe('second of the measurement that it ends, from 0, as in series')
const everyS = z.int().positive().describe('seconds from one reading to the next; more than asked for in a long run')

export const processSchema = z.strictObject({
  name: z.string().describe('its name'),
  pid: count.describe('its process id; the processes that it has started are counted with it'),
  endedAtS: z
    .number()
    .nullable()
    .describe('when it was found to have ended, in seconds of the measurement; null: it was there to the end'),
  everyS,
  readings: z
    .array(
      z.strictObject({
        second: readingSecond,
        cpuPercent: z.number().describe('CPU since the reading before, in percent of one core'),
        rssBytes: count.describe('resident memory; pages that processes share are counted in each'),
      }),
    )
    .max(MOST_READINGS)
    .describe('oldest first'),
})

export type WatchedProcess = z.infer<typeof processSchema>

export const scrapedSchema = z.strictObject({
  name: z.string().describe('its name'),
  url: urlField,
  everyS,
  scrapes: count.describe('how often its page was asked for, from the start of the measurement'),
  failed: count.describe('of these, how often it could not be read'),
  error: z.string().nullable().describe('why, the first time'),
  leftOut: count.describe(`series beyond the first ${MOST_SERIES}, which are not kept`),
  seconds: z.array(readingSecond).max(MOST_SCRAPED_READINGS).describe('when it was read'),
  series: z
    .array(
      z.strictObject({
        metric: z.string().describe('name of the metric'),
        labels: z.record(z.string(), z.string()).describe('its labels'),
        kind: z
          .enum(['gauge', 'rate'])
          .describe('gauge: the values as they were told; rate: growth a second of what only grows'),
        values: z.array(z.number().nullable()).describe('one for each of seconds; null: not told then'),
      }),
    )
    .max(MOST_SERIES)
    .describe('what it told'),
})

export type ScrapedTarget = z.infer<typeof scrapedSchema>
