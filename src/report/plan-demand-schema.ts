/** The demand that a plan is for. */
import { z } from 'zod'
import { name, positive, rate, source, whole, why } from './plan-fields.ts'

export const demandSchema = z
  .strictObject({
    form: z.string().describe('how it was given'),
    inputTokensPerSec: rate.describe('input tokens a second at the peak'),
    outputTokensPerSec: rate.describe('visible tokens, which cross the gateway'),
    streamedTokensPerSec: rate.describe('of these, the streamed ones'),
    hiddenTokensPerSec: rate.describe('tokens that the provider bills and the gateway never sees'),
    requestsPerSec: positive.describe('requests a second at the peak'),
    requestsKnown: z.boolean().describe('false: derived from the tokens of an assumed mean request'),
    inFlight: positive.describe("requests in flight at the peak, by Little's law"),
    request: z
      .strictObject({
        name,
        inputTokens: rate.describe('input tokens'),
        outputTokens: rate.describe('visible output tokens'),
        hiddenTokens: rate.describe('hidden output tokens'),
        streamedShare: z.number().min(0).max(1).describe('share of the output that is streamed'),
        inputScv: rate.describe('squared coefficient of variation of the input tokens'),
        source,
      })
      .describe('the mean request'),
    cacheHitShare: z.number().min(0).max(1).describe('share of requests that the gateway answers from its cache'),
    entities: whole.optional().describe('tenants, routes and the like, where they were given'),
    arrivalScv: z
      .number()
      .min(1)
      .optional()
      .describe('squared coefficient of variation of the times between arrivals, where it was measured'),
    window: z
      .strictObject({
        seconds: positive.describe('its length'),
        stated: z.boolean().describe('false: nobody said it, a minute is assumed'),
      })
      .describe('what the peak is the average over'),
    burst: z
      .strictObject({ factor: positive.describe('times the average'), why })
      .describe('the busiest second within the window'),
    minute: z
      .strictObject({ factor: positive.describe('times the peak'), why })
      .describe('the busiest minute over the peak of the window: quotas are of a minute'),
    notes: z.array(z.string()).describe('what a reader must know of it'),
  })
  .describe('the demand')
