/**
 * The plan contract `kt.plan/1`, what `kt plan --json` prints: the TypeScript type and fixtures/kt.plan.1.schema.json follow
 * from it. camelCase, unit in the name; bandwidth in Gbit/s each way.
 */
import { z } from 'zod'

export const PLAN_SCHEMA = 'kt.plan/1'

const positive = z.number().positive()
const whole = z.int().positive()
const figure = z.strictObject({ value: positive, from: z.enum(['vendor default', 'given']) })
const workerRange = { peak: whole, min: whole, max: whole }
const dimension = z.enum(['entities', 'inputTokensPerSec', 'outputTokensPerSec'])
const families = z.array(
  z.strictObject({ cloud: z.string(), arch: z.string().optional(), families: z.array(z.string()).min(1) }),
)

export const planSchema = z
  .strictObject({
    schema: z.literal(PLAN_SCHEMA),
    kt: z.strictObject({ version: z.string() }),
    demand: z.strictObject({
      inputTokensPerSec: positive,
      outputTokensPerSec: positive,
      entities: whole.optional(),
      requestsPerSec: positive.optional(),
    }),
    workers: z
      .strictObject({
        ...workerRange,
        raw: positive,
        redundancy: z.strictObject({ min: z.number().min(1), max: z.number().min(1) }),
      })
      .describe('one worker is one vCPU; min and max are redundancy x raw, rounded up'),
    formula: z.strictObject({ ratio: figure, outputPerWorker: figure, equivalentOutputTokensPerSec: positive }),
    measured: z
      .array(
        z.strictObject({
          path: z.string(),
          inputTokensPerSec: positive,
          outputTokensPerSec: positive,
          ratio: positive,
          rawWorkers: positive,
          ...workerRange,
        }),
      )
      .describe("the same demand by the vendor's measured figures of one worker"),
    tier: z.strictObject({
      name: z.string(),
      decidedBy: z.array(dimension).min(1),
      use: z.string(),
      vcpu: positive,
      orMore: z.boolean(),
      dimensions: z.array(
        z.strictObject({
          dimension,
          value: positive,
          tier: z.string(),
          from: z.number(),
          to: z.number().nullable().describe('null: no upper bound'),
        }),
      ),
    }),
    instance: z
      .strictObject({
        name: z.string(),
        vcpu: positive,
        memoryMb: positive,
        connections: whole,
        orMore: z.boolean(),
        source: z.string(),
      })
      .optional()
      .describe('one gateway instance by requests/s, where a rate was given'),
    nodes: z.strictObject({
      type: z.string(),
      cloud: z.string(),
      vcpu: whole,
      memoryGib: positive,
      bandwidthGbps: positive,
      source: z.string(),
      workersPerNode: whole,
      network: z.strictObject({
        outputBytesPerToken: positive,
        inputBytesPerToken: positive,
        targetUtilisation: positive.max(1),
        source: z.string(),
        eachWayGbps: positive,
      }),
      counts: z.array(z.strictObject({ factor: z.number().min(1), cpu: whole, network: whole, nodes: whole })).min(1),
      binding: z.enum(['cpu', 'network']),
    }),
    instances: z.strictObject({ recommended: families, avoid: families }),
    sizing: z.strictObject({ name: z.string(), source: z.string() }),
  })
  .describe('a kt plan: workers, tier and machines for a peak in tokens per second')

export type Plan = z.infer<typeof planSchema>
