/** The contract `kt.plan.sensitivity/1`, what `kt plan sensitivity --json` prints. */
import { z } from 'zod'
import { formatName } from './fields.ts'
import { peakToMax, perWorkerOrNode, positive, rate, usdPerMonth, whole } from './plan-fields.ts'

const bindingName = z.string().describe('the constraint that needs the most')
const days = z.number().optional().describe('days until the demand needs all of it; absent where it never will')

function ends<T extends z.ZodType>(of: T) {
  return z.strictObject({ low: of.describe('at the lower end'), high: of.describe('at the upper end') })
}

export const sensitivitySchema = z
  .strictObject({
    schema: formatName('kt.plan.sensitivity/1'),
    by: positive.describe('share by which an input without an interval is moved'),
    tornado: z
      .strictObject({
        nodes: rate.describe('nodes of the plan as it is, before rounding'),
        workers: rate.describe('workers of it'),
        binding: bindingName,
        swings: z
          .array(
            z.strictObject({
              name: z.string().describe('the input that is moved'),
              low: z.number().describe('its lower end'),
              value: z.number().describe('its value in the plan'),
              high: z.number().describe('its upper end'),
              range: z.enum(['measured', 'assumed']).describe('whether its ends are measured, or a share of it'),
              nodes: ends(rate).describe('nodes that follow'),
              workers: ends(rate).describe('workers that follow'),
              binding: ends(z.string()).describe('the constraint that binds then'),
              swing: rate.describe('nodes between both ends'),
            }),
          )
          .describe('inputs by their swing, the largest first'),
      })
      .describe('each input moved by itself'),
    scenarios: z
      .array(
        z.strictObject({
          name: z.string().describe('what was changed'),
          binding: bindingName,
          workers: z.strictObject(peakToMax).describe('workers'),
          nodes: z.strictObject(peakToMax).describe('nodes'),
          node: z.string().describe('type of the machines'),
          usdPerMonth: usdPerMonth.optional(),
        }),
      )
      .describe('an entry for each --what-if'),
    growth: z
      .strictObject({
        quarters: z
          .array(
            z.strictObject({
              from: z.string().describe('its first day'),
              times: positive.describe('demand over that of today'),
              pods: whole.describe('pods that are deployed then'),
              nodes: whole.describe('nodes that are deployed then'),
              binding: bindingName,
              machinesUsdPerMonth: rate.optional().describe('dollars a month of the machines'),
              usdPerMonth: usdPerMonth.optional().describe('dollars a month of all'),
            }),
          )
          .describe('what is deployed at the beginning of each quarter'),
        from: z.string().describe('today'),
        ratePerPeriod: z.number().describe('growth in one period, as a share'),
        period: z.string().describe('name of the period'),
        periodDays: positive.describe('its length'),
        have: z
          .strictObject({
            workers: whole.describe('workers'),
            nodes: whole.describe('nodes'),
            node: z.string().describe('type of the machines'),
          })
          .describe('what there is'),
        limits: z
          .array(
            z.strictObject({
              name: z.string().describe('name of the constraint'),
              per: perWorkerOrNode,
              now: rate.describe('what it needs now'),
              capacity: rate.describe('what there is for it'),
              days,
            }),
          )
          .describe('each constraint, the first to be used up first'),
        binding: z.string().describe('the first to be used up'),
        exhaustedOn: z.string().optional().describe('the day of it'),
        orderBy: z.string().optional().describe('the day by which more must be ordered'),
        orderInDays: z.number().optional().describe('days until then; below 0 it is late'),
        days,
        leadDays: rate.describe('days between an order and its arrival'),
      })
      .optional()
      .describe('when growth uses up what there is, where --growth was given'),
  })
  .describe('kt plan sensitivity: what a plan depends on')

export type SensitivityJson = z.infer<typeof sensitivitySchema>
