/** What a plan deploys: machines, the fleet with every part of its redundancy, its range, what it costs. */
import { z } from 'zod'
import {
  binding,
  constraintName,
  date,
  nextToBind,
  perWorkerOrNode,
  positive,
  rate,
  source,
  usdPerMonth,
  whole,
  why,
} from './plan-fields.ts'

const zoned = z.strictObject({
  perZone: whole.describe('in each zone'),
  steady: whole.describe('in all zones'),
  surging: whole.describe('while a deployment rolls'),
})

const ends = z.strictObject({ low: whole.describe('lower end'), high: whole.describe('upper end') })

export const nodesSchema = z
  .strictObject({
    type: z.string().describe('type of the machine'),
    cloud: z.string().describe('whose it is'),
    vcpu: whole.describe('its vCPU'),
    memoryGib: positive.describe('its memory'),
    bandwidthGbps: positive.describe('its bandwidth in each direction'),
    bandwidthIs: z.enum(['baseline', 'ceiling']).optional().describe('ceiling: nothing is guaranteed below it'),
    allocatableMillicores: whole.describe('CPU that is left for pods'),
    allocatableMemoryBytes: whole.describe('memory that is left for pods'),
    usdPerHour: positive.optional().describe('list price'),
    region: z.string().optional().describe('region of the price'),
    priceDate: z.string().optional().describe('date of the price'),
    source,
    workersPerNode: whole.describe('workers that fit on it'),
    eachWayGbps: rate.describe('traffic of the peak in each direction, of all nodes'),
    networkUtilisation: positive.max(1).describe('share of the bandwidth that is planned with'),
    counts: z
      .array(
        z.strictObject({
          factor: z.number().min(1).describe('redundancy'),
          workers: whole.describe('workers then'),
          cpuNodes: whole.describe('nodes that the CPU takes'),
          networkNodes: whole.describe('nodes that the network takes'),
          nodes: whole.describe('nodes that all constraints take'),
        }),
      )
      .min(1)
      .describe('nodes for the peak and for each end of the redundancy'),
  })
  .describe('the machine, and how many of it')

export const fleetSchema = z
  .strictObject({
    binding,
    next: nextToBind,
    zones: whole.describe('zones'),
    zonesLost: z.int().nonnegative().describe('zones that may be lost'),
    pods: zoned.describe('pods, one worker each'),
    pod: z
      .strictObject({ cpuMillicores: whole.describe('CPU request'), memoryMib: whole.describe('memory limit') })
      .describe('size of a pod'),
    nodes: zoned.describe('nodes'),
    redundancy: z
      .strictObject({
        of: constraintName.describe('the constraint that it multiplies'),
        per: perWorkerOrNode,
        raw: positive.describe('what the peak takes, before rounding'),
        parts: z
          .array(
            z.strictObject({
              name: z
                .enum(['burst', 'zone loss', 'one more', 'deploy surge', 'target utilisation', 'uncertainty'])
                .describe('what it is for'),
              factor: positive.describe('what it multiplies by'),
              why,
            }),
          )
          .describe('its parts'),
        product: positive.describe('all parts multiplied'),
      })
      .describe("the parts of the redundancy factor of what binds, beside the vendor's single factor"),
    cpuTarget: positive.describe('share of a pod that an autoscaler may use: what is left without a zone holds'),
  })
  .describe('what is deployed, and what --emit writes: every constraint with burst, zone loss and deployment')

export const rangeSchema = z
  .strictObject({
    pods: ends.describe('pods'),
    nodes: ends.describe('nodes'),
    by: z.array(z.string()).describe('the uncertainties, the largest first'),
  })
  .describe('the fleet with its main uncertainties at their ends, one by one')

export const costSchema = z
  .strictObject({
    parts: z
      .array(
        z.strictObject({
          name: z
            .enum(['machines', 'load balancer', 'NAT', 'cross-zone', 'egress', 'cache'])
            .describe('what is paid for'),
          usdPerMonth,
          why,
        }),
      )
      .describe('each part of it'),
    trafficUsdPerMonth: rate.describe('all but the machines'),
    usdPerMonth: usdPerMonth.describe('all of it'),
    gbPerMonth: rate.describe('prompts and answers, once'),
    meanLoad: z
      .strictObject({ share: positive.describe('mean load over the peak'), why })
      .describe('what traffic is paid for'),
    prices: z.strictObject({ region: z.string().describe('their region'), date, source }).describe('the price lists'),
    tokens: z
      .strictObject({ model: z.string().describe('the model'), usdPerMonth, date, source })
      .optional()
      .describe('what the provider takes for the tokens, where a model was named'),
  })
  .describe('list prices; absent where the machine has no price')

export const natSchema = z
  .strictObject({
    gateways: whole.describe('in each zone'),
    addresses: whole.describe('in each zone'),
    binding: z.enum(['connections', 'bandwidth', 'packets', 'zones']).describe('what decides how many'),
    connectionsPerAddress: positive.describe("connections to one of the provider's addresses"),
    source,
    date,
  })
  .describe('NAT gateways on the way out')

export const familiesSchema = z
  .array(
    z.strictObject({
      cloud: z.string().describe('whose they are'),
      arch: z.string().optional().describe('architecture'),
      families: z.array(z.string()).min(1).describe('names of the families'),
    }),
  )
  .describe('families of machines')
