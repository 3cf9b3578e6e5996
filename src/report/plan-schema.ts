/**
 * The contract `kt.plan/1`, which `kt plan --json` prints: the TypeScript type and fixtures/kt.plan.1.schema.json
 * follow from it. Keys are camelCase with the unit in the name. Bandwidth is in Gbit/s in each direction.
 */
import { z } from 'zod'
import { formatName, ktVersionField } from './fields.ts'
import { demandSchema } from './plan-demand-schema.ts'
import {
  binding,
  constraintName,
  date,
  figureSchema,
  inputSchema,
  name,
  nextToBind,
  peakToMax,
  perWorkerOrNode,
  positive,
  rate,
  source,
  whole,
} from './plan-fields.ts'
import { costSchema, familiesSchema, fleetSchema, natSchema, nodesSchema, rangeSchema } from './plan-fleet-schema.ts'

const dimension = z.enum(['entities', 'inputTokensPerSec', 'outputTokensPerSec']).describe('what the tier is chosen by')
const vcpu = positive.describe('vCPU')
const orMore = z.boolean().describe('it is the largest: the demand may go beyond it')
const connections = whole.describe('connections')

const constraintSchema = z.strictObject({
  name: constraintName,
  per: perWorkerOrNode,
  need: rate.describe('workers or nodes for the peak, before rounding'),
  nodes: rate.describe('nodes that it takes, before rounding'),
  formula: z.string().describe('how the need is computed'),
  inputs: z.array(inputSchema).describe('what stands in the formula'),
  counts: z
    .array(
      z.strictObject({
        factor: z.number().min(1).describe('redundancy'),
        need: whole.describe('workers or nodes then'),
      }),
    )
    .min(1)
    .describe('the need for the peak and for each end of the redundancy'),
})

const quotaSchema = z.strictObject({
  name: z
    .enum(['tokens per minute', 'input tokens per minute', 'output tokens per minute', 'requests per minute'])
    .describe('what is limited'),
  provider: z.string().describe('whose limit it is'),
  need: rate.describe('what the busiest minute takes'),
  limit: positive.describe('what one account may'),
  accounts: rate.describe('above `have`, no number of workers carries the peak with the accounts there are'),
  have: whole.describe('accounts there are'),
  without: z.string().optional().describe('what this one must carry where that one fails'),
})

const tierSchema = z
  .strictObject({
    name,
    decidedBy: z.array(dimension).min(1).describe('the dimensions that choose it'),
    use: z.string().describe('whom it is for'),
    vcpu,
    orMore,
    dimensions: z
      .array(
        z.strictObject({
          dimension,
          value: rate.describe('what is asked for'),
          tier: z.string().describe('the tier by this dimension alone'),
          from: z.number().describe('where that tier begins'),
          to: z.number().nullable().describe('where it ends; null: no upper bound'),
        }),
      )
      .describe('each dimension by itself'),
  })
  .describe("the vendor's tier")

const publishedSchema = z.strictObject({
  name,
  instances: whole.describe('instances that were measured'),
  vcpu: vcpu.describe('vCPU of each'),
  memoryGib: positive.describe('memory of each'),
  requestsPerSec: positive.describe('requests a second of all of them'),
  tokensPerSec: positive.optional().describe('tokens a second of all of them, input and output'),
  p99Ms: positive.describe('99th percentile of their latency'),
  source,
  date,
  needsVcpu: positive.describe('at the peak, by requests/s alone'),
  needsVcpuByTokens: positive.optional().describe('at the peak, by tokens/s alone'),
})

const instanceSchema = z.strictObject({
  name,
  vcpu,
  memoryMb: positive.describe('memory'),
  connections,
  orMore,
  source,
  computed: z
    .strictObject({ vcpu, memoryMb: whole.describe('memory'), connections })
    .describe('what the same demand computes to'),
})

const waitingSchema = z.strictObject({
  workers: whole.describe('number of workers'),
  utilisation: rate.describe('busy share of a worker'),
  perWorkerP99Ms: rate.optional().describe('99th percentile of the wait, a queue for each worker'),
  perWorkerMeanMs: rate.optional().describe('mean wait, a queue for each worker'),
  pooledP99Ms: rate.optional().describe('99th percentile of the wait, one queue for all'),
})

export const PLAN_SCHEMA = 'kt.plan/1'

export const planSchema = z
  .strictObject({
    schema: formatName(PLAN_SCHEMA),
    kt: z.strictObject({ version: ktVersionField }).describe('the kt that planned'),
    demand: demandSchema,
    workers: z
      .strictObject({
        ...peakToMax,
        raw: positive.describe('for the peak, before rounding'),
        interval95: z.array(whole).length(2).optional().describe('interval of peak, where the figures were calibrated'),
        redundancy: z
          .strictObject({ min: z.number().min(1).describe('least'), max: z.number().min(1).describe('most') })
          .describe("the vendor's factor"),
      })
      .describe('workers by CPU; one worker is one vCPU; min and max are redundancy x raw, rounded up'),
    answer: z
      .strictObject({
        binding,
        next: nextToBind,
        workers: z.strictObject(peakToMax).describe('workers by all constraints'),
        nodes: z.strictObject(peakToMax).describe('nodes by all constraints'),
      })
      .describe('the maximum over all constraints; the binding constraint needs the most nodes'),
    constraints: z
      .array(constraintSchema)
      .min(2)
      .describe('ordered from the constraint that needs the most nodes to the one that needs the fewest'),
    quotas: z.array(quotaSchema).describe('limits of the providers'),
    amplification: positive.optional().describe('requests to providers for each that the cache does not answer'),
    formula: z
      .strictObject({
        ratio: figureSchema.describe('input tokens that cost as much CPU as an output token'),
        outputPerWorker: figureSchema.describe('output tokens a second of a worker'),
        equivalentOutputTokensPerSec: positive.describe('the demand in output tokens alone'),
      })
      .describe("the vendor's formula"),
    measured: z
      .array(
        z.strictObject({
          path: z.string().describe('what the worker does with a request'),
          inputTokensPerSec: positive.describe('input tokens a second of a worker'),
          outputTokensPerSec: positive.describe('output tokens a second of a worker'),
          ratio: positive.describe('the former over the latter'),
          rawWorkers: positive.describe('workers for the peak, before rounding'),
          ...peakToMax,
        }),
      )
      .describe("the same demand with the vendor's measured figures of one worker"),
    published: z
      .array(publishedSchema)
      .optional()
      .describe("what other vendors publish of their gateways, and what the demand's rate would take by it"),
    tier: tierSchema,
    instance: instanceSchema.optional().describe('one gateway instance by requests/s, where a rate was given'),
    nat: natSchema.optional(),
    contradictions: z.array(z.string()).describe('figures of the plan that cannot all be true'),
    nodes: nodesSchema,
    fleet: fleetSchema,
    range: rangeSchema.optional(),
    cost: costSchema.optional(),
    waiting: z.array(waitingSchema).describe('latency that waiting for a worker adds; absent at or above capacity'),
    simulated: z
      .strictObject({
        seed: z.int().describe('the first of the runs'),
        workers: whole.describe('number of workers'),
        requests: whole.describe('requests of all runs'),
        p99Ms: rate.describe('99th percentile of the wait'),
        p99Ms95: z.tuple([rate, rate]).optional().describe('95 % interval over the runs'),
        formulaP99Ms: rate.describe('the same by formula'),
      })
      .optional()
      .describe('simulated wait with one queue for each worker'),
    calibration: z
      .strictObject({
        notes: z.array(z.string()).describe('how the figures follow from the runs'),
        beyondMeasured: z.boolean().describe('the plan has more workers than any run had'),
      })
      .optional()
      .describe('where the figures come from runs of kt bench'),
    instances: z
      .strictObject({
        recommended: familiesSchema.describe('families that fit'),
        avoid: familiesSchema.describe('families that do not'),
      })
      .describe("the vendor's advice"),
    sizing: z.strictObject({ name, source }).describe('the profile of the figures'),
  })
  .describe('a kt plan: workers, tier and machines for a peak in tokens per second')

export type Plan = z.infer<typeof planSchema>
