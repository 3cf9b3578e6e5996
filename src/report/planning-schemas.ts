/** What the commands beside `kt plan` print with --json: buffers, machines, the check of a plan. */
import { z } from 'zod'
import { formatName, verdictSchema } from './fields.ts'
import { peakToMax, positive, rate, source, usdPerMonth, whole, why } from './plan-fields.ts'

const bytesRange = z.strictObject({ minBytes: rate.describe('lower end'), maxBytes: rate.describe('upper end') })

export const buffersSchema = z
  .strictObject({
    schema: formatName('kt.plan.buffers/1'),
    source,
    buffers: z
      .array(
        z.strictObject({
          profile: z
            .strictObject({
              name: z.string().describe('kind of traffic'),
              promptFromBytes: rate.describe('smallest prompt of it'),
              promptBelowBytes: rate.describe('its prompts are below this'),
              body: bytesRange.describe('limit of a body, as the vendor gives it'),
              buffer: bytesRange.describe('buffer of a body, as the vendor gives it'),
              note: z.string().optional().describe('what the vendor adds'),
            })
            .describe('the row of the vendor'),
          bodyBytes: whole.describe('limit of a body'),
          bufferBytes: whole.describe('buffer of a body'),
          concurrency: positive.describe('requests at once'),
          memory: z
            .strictObject({
              fullBytes: rate.describe('if every request fills its buffer'),
              meanBytes: rate.optional().describe('at the mean prompt, where that is known'),
            })
            .describe('what the buffers hold'),
          workers: whole.describe('workers that share it'),
          fullBytesPerWorker: rate.describe('memory of each worker, if every request fills its buffer'),
          directives: z.record(z.string(), z.string()).describe('the same for kong.conf'),
          plugins: z
            .strictObject({ max_request_body_size: whole.describe('what a plugin reads of a body, in bytes') })
            .describe("settings of Kong's AI plugins"),
        }),
      )
      .describe('an entry for each kind of traffic'),
  })
  .describe('kt plan buffers: body limits and buffers for the prompts')

const machine = z
  .strictObject({
    type: z.string().describe('type of the machine'),
    family: z.string().describe('its family'),
    cloud: z.string().describe('whose it is'),
    cloudId: z.enum(['aws', 'gcp', 'azure', 'own']).describe('the same in short'),
    arch: z.string().describe('architecture'),
    vcpu: whole.describe('its vCPU'),
    vcpuIs: z.enum(['thread', 'core']).describe('what a vCPU is'),
    memoryGib: positive.describe('its memory'),
    bandwidthGbps: positive.describe('its bandwidth in each direction'),
    bandwidthIs: z.enum(['baseline', 'ceiling']).describe('ceiling: nothing is guaranteed below it'),
    packetsPerSec: positive.optional().describe('in and out together, where a limit is known'),
    allocatableMillicores: whole.describe('CPU that is left for pods'),
    allocatableMemoryBytes: whole.describe('memory that is left for pods'),
    usdPerHour: positive.optional().describe('price of an hour'),
    usdPerHourAs: z
      .strictObject({ reserved: positive.optional().describe('reserved'), spot: positive.optional().describe('spot') })
      .optional()
      .describe('other ways of buying, where a price of them is known'),
    purchase: z.enum(['reserved', 'spot']).optional().describe('how it is bought, where not on demand'),
    region: z.string().optional().describe('region of the price'),
    priceDate: z.string().optional().describe('date of the price'),
    priceSource: z.string().describe('where the price comes from'),
    coremarkPerVcpu: positive.optional().describe('CoreMark of a vCPU'),
    coremarkSource: z.string().optional().describe('where that comes from'),
    bareMetal: z.boolean().describe('whether it is a whole machine'),
    source: source.describe('where the bandwidth comes from'),
    memorySource: z.string().describe('where the memory that is left for pods comes from'),
  })
  .describe('the machine')

export const instancesSchema = z
  .strictObject({
    schema: formatName('kt.plan.instances/1'),
    redundancy: z
      .strictObject({ min: z.number().min(1).describe('least'), max: z.number().min(1).describe('most') })
      .describe("the vendor's factor"),
    zones: whole.describe('zones'),
    measuredOn: z.string().nullable().describe('machine that the figures were measured on; null: not known'),
    instances: z
      .array(
        z.strictObject({
          instance: machine,
          workersPerNode: whole.describe('workers that fit on it'),
          speed: positive.optional().describe('a worker here against one where the figures were measured'),
          nodes: z.strictObject(peakToMax).describe('nodes'),
          deploy: z
            .strictObject({
              nodes: whole.describe('nodes'),
              pods: whole.describe('pods'),
              usdPerMonth: usdPerMonth.optional(),
            })
            .describe('what is deployed: with every part of the redundancy, in whole zones'),
          usdPerMonth: z
            .strictObject({
              peak: usdPerMonth.describe('for the peak alone'),
              min: usdPerMonth.describe('with the least redundancy'),
              max: usdPerMonth.describe('with the most redundancy'),
            })
            .optional()
            .describe('dollars a month; absent without a price'),
          binding: z.string().describe('the constraint that needs the most'),
        }),
      )
      .describe('machines, the cheapest first; those without a guaranteed bandwidth below all others'),
  })
  .describe('kt plan instances: machines by the cost of the plan on each')

const planCheckSchema = z.strictObject({
  name: z.string().describe('what is checked'),
  planned: z.string().describe('what the plan counts with'),
  measured: z.string().describe('what the run has'),
  verdict: verdictSchema,
  why,
})

export const planCheckResultSchema = z
  .strictObject({
    schema: formatName('kt.plan.check/1'),
    verdict: verdictSchema.describe('of all checks'),
    shareOfPlanned: rate.describe(
      'planned workers that the measured load is worth, over the workers that carried it; over their busy share, ' +
        'where that is known',
    ),
    busy: rate.optional().describe("busy share of each worker's core, where it was known and not used up"),
    checks: z.array(planCheckSchema).describe('each check'),
  })
  .describe('kt plan check: whether a measured run confirms a plan')

export type BuffersJson = z.infer<typeof buffersSchema>
export type InstancesJson = z.infer<typeof instancesSchema>
export type PlanCheckJson = z.infer<typeof planCheckResultSchema>
