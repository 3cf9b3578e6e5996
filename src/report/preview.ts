/** What `kt bench` shows of a run before there is one: its plan without sending, or one exchange. */
import { z } from 'zod'
import { count, formatName } from './fields.ts'

const shownRequest = z
  .strictObject({
    head: z.array(z.string()).describe('lines of the head'),
    body: z.string().describe('body'),
  })
  .describe('the first measured request, as it leaves; secrets are masked')

export const dryRunSchema = z
  .strictObject({
    schema: formatName('kt.dry-run/1'),
    options: z.record(z.string(), z.unknown()).describe('every option that is set, by the keys of a config file'),
    arms: z
      .array(z.strictObject({ name: z.string().describe('its name'), url: z.string().describe('where it leads') }))
      .describe('what is measured'),
    run: z.record(z.string(), z.unknown()).describe('what the options come to: the load, and how it is sent'),
    levels: z
      .strictObject({
        mode: z.enum(['open', 'closed']).describe('open: requests a second; closed: requests in flight'),
        levels: z.array(z.number()).describe('the levels of load, one after another'),
        stepS: z.number().describe('seconds that each lasts'),
        curves: count.describe('how often all of them are measured: once for each number of gateway processes'),
      })
      .optional()
      .describe('of a sweep: its levels. `run` is that of the first, and `sends` counts those of all'),
    request: shownRequest,
    sends: z
      .strictObject({
        requests: count.nullable().describe('on each arm, the warm-up among them; null: only time limits them'),
        warmup: count.describe('of these, sent first and excluded'),
        inputTokens: z.number().describe('of a request, about'),
        outputTokens: z.number().describe('of an answer, about'),
        tokens: z.number().nullable().describe('of the whole run; null: the number of requests is not known'),
        usd: z
          .number()
          .nullable()
          .describe("US dollars by the list price of the model; null: there is none, or all of it is kt's own"),
        priceFrom: z.string().nullable().describe('source and date of the price'),
      })
      .describe('what the run would send, and what that would cost'),
  })
  .describe('kt bench --dry-run, kt bench sweep --dry-run: what the options come to; nothing is sent')

export type DryRun = z.output<typeof dryRunSchema>

export const exchangeSchema = z
  .strictObject({
    schema: formatName('kt.exchange/1'),
    url: z.string().describe('where it was sent'),
    request: shownRequest,
    answer: z
      .strictObject({
        status: z.number().describe('status'),
        head: z.array(z.string()).describe('lines of the head'),
        body: z.string().describe('body'),
      })
      .nullable()
      .describe('the answer; null: none came'),
    error: z.string().nullable().describe('why no answer came, or not the whole of it'),
    firstByteMs: z.number().nullable().describe('from the request to the first byte of the body; null: none came'),
    totalMs: z.number().describe('from the request to the end'),
  })
  .describe('kt bench --show-request, also of a sweep: one request and its answer; nothing is measured')

export type Exchange = z.output<typeof exchangeSchema>
