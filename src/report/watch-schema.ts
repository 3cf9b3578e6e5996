/** What was watched beside a run, on the timeline of its series: processes of this machine. */
import { z } from 'zod'
import { count } from './fields.ts'

/** The most readings of one thing that are kept: a longer run keeps them further apart. */
export const MOST_READINGS = 3_600

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
