/** What a report says of the replay of a trace. */
import { z } from 'zod'
import { count, largest, p50, p99 } from './fields.ts'

const tokens = (what: string) =>
  z
    .strictObject({
      asked: count.describe('by the rows of the trace'),
      counted: count.describe('in the answers, or by their usage'),
    })
    .describe(`${what} tokens of whole answers`)

export const replaySchema = z
  .strictObject({
    trace: z.string().describe('name of its file'),
    format: z.string().describe('its format'),
    speed: z.number().describe('times faster than it was recorded'),
    share: z.number().optional().describe('share of its requests, drawn by the seed'),
    fromS: z.number().optional().describe('seconds of the trace before the first one that was replayed'),
    toS: z.number().optional().describe('second of the trace at which the replay ended'),
    requests: count.describe('requests that it asks for, of each arm'),
    failedLeftOut: count.optional().describe('requests that had failed when it was recorded, and are left out'),
    spanS: z.number().describe('seconds in which they are due, as replayed'),
    arms: z
      .array(
        z.strictObject({
          name: z.string().describe('name of the arm'),
          lateMs: z
            .strictObject({ p50, p99, max: largest })
            .nullable()
            .describe('how late requests left, with their wait for a slot or a connection; null: none left'),
          gapsKs: z
            .number()
            .nullable()
            .describe(
              'Kolmogorov-Smirnov distance of the times between requests, asked for against sent; those under 0.1 ms ' +
                'count as one; null: fewer than two left',
            ),
          inputTokens: tokens('input'),
          outputTokens: tokens('output'),
        }),
      )
      .describe('how faithfully each arm was sent what the trace asks for'),
  })
  .describe('the replay of a trace')
