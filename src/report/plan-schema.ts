/**
 * The contract `kt.plan/1`, which `kt plan --json` prints: the TypeScript type and fixtures/kt.plan.1.schema.json
 * follow from it. Keys are camelCase with the unit in the name. Bandwidth is in Gbit/s in each direction.
 */
import { z } from 'zod'

const positive = z.number().positive()
const rate = z.number().nonnegative()
const whole = z.int().positive()
const workerRange = { peak: whole, min: whole, max: whole }
const dimension = z.enum(['entities', 'inputTokensPerSec', 'outputTokensPerSec'])
const constraintName = z.enum(['cpu', 'events', 'packets', 'network', 'connections', 'descriptors', 'ports', 'memory'])
const figureOrigin = ['vendor default', 'assumed', 'given', 'calibrated', 'what if'] as const
const families = z.array(
  z.strictObject({ cloud: z.string(), arch: z.string().optional(), families: z.array(z.string()).min(1) }),
)
const figure = z.strictObject({
  value: positive,
  from: z.enum(figureOrigin),
  source: z.string(),
  date: z.string().optional(),
  low: positive.optional(),
  high: positive.optional(),
})
const input = z.strictObject({
  name: z.string(),
  value: z.number(),
  unit: z.string(),
  from: z.enum([...figureOrigin, 'demand', 'catalogue', 'computed']),
  source: z.string(),
  date: z.string().optional(),
})
const part = z.strictObject({
  name: z.enum(['burst', 'zone loss', 'one more', 'deploy surge', 'target utilisation', 'uncertainty']),
  factor: positive,
  why: z.string(),
})

const zoned = z.strictObject({
  perZone: whole,
  steady: whole,
  surging: whole.describe('while a deployment rolls'),
})

const demandSchema = z.strictObject({
  form: z.string(),
  inputTokensPerSec: rate,
  outputTokensPerSec: rate.describe('visible tokens, which cross the gateway'),
  streamedTokensPerSec: rate,
  hiddenTokensPerSec: rate.describe('tokens that the provider bills and the gateway never sees'),
  requestsPerSec: positive,
  requestsKnown: z.boolean().describe('false: derived from the tokens of an assumed mean request'),
  inFlight: positive,
  request: z.strictObject({
    name: z.string(),
    inputTokens: rate,
    outputTokens: rate,
    hiddenTokens: rate,
    streamedShare: z.number().min(0).max(1),
    inputScv: rate,
    source: z.string(),
  }),
  cacheHitShare: z.number().min(0).max(1),
  entities: whole.optional(),
  arrivalScv: z
    .number()
    .min(1)
    .optional()
    .describe('squared coefficient of variation of the times between arrivals, where it was measured'),
  window: z.strictObject({ seconds: positive, stated: z.boolean() }),
  burst: z.strictObject({ factor: positive, why: z.string() }),
  minute: z
    .strictObject({ factor: positive, why: z.string() })
    .describe('the busiest minute over the peak of the window: quotas are of a minute'),
  notes: z.array(z.string()),
})

export const planSchema = z
  .strictObject({
    schema: z.literal('kt.plan/1'),
    kt: z.strictObject({ version: z.string() }),
    demand: demandSchema,
    workers: z
      .strictObject({
        ...workerRange,
        raw: positive,
        interval95: z.array(whole).length(2).optional().describe('interval of peak, where the figures were calibrated'),
        redundancy: z.strictObject({ min: z.number().min(1), max: z.number().min(1) }),
      })
      .describe('workers by CPU; one worker is one vCPU; min and max are redundancy x raw, rounded up'),
    answer: z
      .strictObject({
        binding: constraintName,
        next: constraintName,
        workers: z.strictObject(workerRange),
        nodes: z.strictObject(workerRange),
      })
      .describe('the maximum over all constraints; the binding constraint needs the most nodes'),
    constraints: z
      .array(
        z.strictObject({
          name: constraintName,
          per: z.enum(['worker', 'node']),
          need: rate.describe('workers or nodes for the peak, before rounding'),
          nodes: rate,
          formula: z.string(),
          inputs: z.array(input),
          counts: z.array(z.strictObject({ factor: z.number().min(1), need: whole })).min(1),
        }),
      )
      .min(2)
      .describe('ordered from the constraint that needs the most nodes to the one that needs the fewest'),
    quotas: z.array(
      z.strictObject({
        name: z.enum([
          'tokens per minute',
          'input tokens per minute',
          'output tokens per minute',
          'requests per minute',
        ]),
        provider: z.string(),
        need: rate,
        limit: positive,
        accounts: rate.describe('above `have`, no number of workers carries the peak with the accounts there are'),
        have: whole,
        without: z.string().optional().describe('what this one must carry where that one fails'),
      }),
    ),
    amplification: positive.optional().describe('requests to providers for each that the cache does not answer'),
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
      .describe("the same demand with the vendor's measured figures of one worker"),
    published: z
      .array(
        z.strictObject({
          name: z.string(),
          instances: whole,
          vcpu: positive,
          memoryGib: positive,
          requestsPerSec: positive,
          p99Ms: positive,
          source: z.string(),
          date: z.string(),
          needsVcpu: positive.describe('at the peak, by requests/s alone'),
        }),
      )
      .optional()
      .describe("what other vendors publish of their gateways, and what the demand's rate would take by it"),
    tier: z.strictObject({
      name: z.string(),
      decidedBy: z.array(dimension).min(1),
      use: z.string(),
      vcpu: positive,
      orMore: z.boolean(),
      dimensions: z.array(
        z.strictObject({
          dimension,
          value: rate,
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
        computed: z
          .strictObject({ vcpu: positive, memoryMb: whole, connections: whole })
          .describe('what the same demand computes to'),
      })
      .optional()
      .describe('one gateway instance by requests/s, where a rate was given'),
    nat: z
      .strictObject({
        gateways: whole.describe('in each zone'),
        addresses: whole.describe('in each zone'),
        binding: z.enum(['connections', 'bandwidth', 'packets', 'zones']),
        connectionsPerAddress: positive,
        source: z.string(),
        date: z.string(),
      })
      .optional(),
    contradictions: z.array(z.string()).describe('figures of the plan that cannot all be true'),
    nodes: z.strictObject({
      type: z.string(),
      cloud: z.string(),
      vcpu: whole,
      memoryGib: positive,
      bandwidthGbps: positive,
      bandwidthIs: z.enum(['baseline', 'ceiling']).optional().describe('ceiling: nothing is guaranteed below it'),
      allocatableMillicores: whole,
      allocatableMemoryBytes: whole,
      usdPerHour: positive.optional(),
      region: z.string().optional().describe('region of the price'),
      priceDate: z.string().optional(),
      source: z.string(),
      workersPerNode: whole,
      eachWayGbps: rate,
      networkUtilisation: positive.max(1),
      counts: z
        .array(
          z.strictObject({
            factor: z.number().min(1),
            workers: whole,
            cpuNodes: whole,
            networkNodes: whole,
            nodes: whole,
          }),
        )
        .min(1),
    }),
    fleet: z
      .strictObject({
        binding: constraintName,
        next: constraintName,
        zones: whole,
        zonesLost: z.int().nonnegative(),
        pods: zoned,
        pod: z.strictObject({ cpuMillicores: whole, memoryMib: whole }),
        nodes: zoned,
        redundancy: z
          .strictObject({
            of: constraintName,
            per: z.enum(['worker', 'node']),
            raw: positive,
            parts: z.array(part),
            product: positive,
          })
          .describe("the parts of the redundancy factor of what binds, beside the vendor's single factor"),
        cpuTarget: positive.describe('share of a pod that an autoscaler may use: what is left without a zone holds'),
      })
      .describe('what is deployed, and what --emit writes: every constraint with burst, zone loss and deployment'),
    range: z
      .strictObject({
        pods: z.strictObject({ low: whole, high: whole }),
        nodes: z.strictObject({ low: whole, high: whole }),
        by: z.array(z.string()),
      })
      .optional()
      .describe('the fleet with its main uncertainties at their ends, one by one; by: the most first'),
    cost: z
      .strictObject({
        parts: z.array(
          z.strictObject({
            name: z.enum(['machines', 'load balancer', 'NAT', 'cross-zone', 'egress', 'cache']),
            usdPerMonth: rate,
            why: z.string(),
          }),
        ),
        trafficUsdPerMonth: rate.describe('all but the machines'),
        usdPerMonth: rate,
        gbPerMonth: rate.describe('prompts and answers, once'),
        meanLoad: z.strictObject({ share: positive, why: z.string() }),
        prices: z.strictObject({ region: z.string(), date: z.string(), source: z.string() }),
        tokens: z
          .strictObject({ model: z.string(), usdPerMonth: rate, date: z.string(), source: z.string() })
          .optional(),
      })
      .optional()
      .describe('list prices; absent where the machine has no price'),
    waiting: z
      .array(
        z.strictObject({
          workers: whole,
          utilisation: rate,
          perWorkerP99Ms: rate.optional(),
          perWorkerMeanMs: rate.optional(),
          pooledP99Ms: rate.optional(),
        }),
      )
      .describe('latency that waiting for a worker adds; absent at or above capacity'),
    simulated: z
      .strictObject({
        seed: z.int().describe('the first of the runs'),
        workers: whole,
        requests: whole,
        p99Ms: rate,
        p99Ms95: z.tuple([rate, rate]).optional().describe('95 % interval over the runs'),
        formulaP99Ms: rate,
      })
      .optional()
      .describe('simulated wait with one queue for each worker'),
    calibration: z.strictObject({ notes: z.array(z.string()), beyondMeasured: z.boolean() }).optional(),
    instances: z.strictObject({ recommended: families, avoid: families }),
    sizing: z.strictObject({ name: z.string(), source: z.string() }),
  })
  .describe('a kt plan: workers, tier and machines for a peak in tokens per second')

export type Plan = z.infer<typeof planSchema>
