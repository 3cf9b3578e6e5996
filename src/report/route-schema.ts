/** How targets were reached, in a report. */
import { z } from 'zod'

export const routesSchema = z
  .array(
    z.strictObject({
      origin: z.string().describe('scheme, host and port of the target'),
      way: z.string().describe('over a unix socket, at an address, or through a proxy; without secrets'),
      from: z.string().describe('the flag or the variable of the environment that says so'),
    }),
  )
  .describe('the targets that were not reached by their own name and port')
