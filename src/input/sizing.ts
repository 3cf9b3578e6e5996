/** Reads the sizing figures that the planner works with: profiles/sizing/kong.yaml, or the user's copy of it. */
import { z } from 'zod'
import type { Sizing } from '../plan/sizing.ts'
import { packaged } from '../system/package-info.ts'
import { parseCount } from '../units.ts'
import { readYaml } from './file.ts'

/** 80M, 1.5k or a plain number, zero allowed. */
const countSchema = z.union([z.number(), z.string()]).transform((given, context): number => {
  const value = typeof given === 'number' ? given : parseCount(given)
  if (value !== undefined && Number.isFinite(value) && value >= 0) return value
  context.addIssue({ code: 'custom', message: `expected a count such as 80M or 1.5k, got '${given}'` })
  return z.NEVER
})
const positiveCount = countSchema.refine((value) => value > 0, 'must be above 0')
const positive = z.number().positive()

const boundsSchema = z
  .strictObject({ entities: countSchema, input: countSchema, output: countSchema })
  .transform(({ entities, input, output }) => ({ entities, inputTokensPerSec: input, outputTokensPerSec: output }))

const tierSchema = z
  .strictObject({
    name: z.string(),
    from: boundsSchema.optional(),
    above: boundsSchema.optional(),
    vcpu: positive,
    use: z.string(),
  })
  .refine(hasOneBound, 'give either from or above')

const rpsTierSchema = z
  .strictObject({
    name: z.string(),
    from: countSchema.optional(),
    above: countSchema.optional(),
    vcpu: positive,
    memory_mb: positive,
    connections: z.int().positive(),
    or_more: z.boolean().default(false),
  })
  .refine(hasOneBound, 'give either from or above')
  .transform(({ memory_mb, or_more, ...tier }) => ({ ...tier, memoryMb: memory_mb, orMore: or_more }))

const familiesSchema = z.strictObject({
  cloud: z.string(),
  arch: z.string().optional(),
  families: z.array(z.string()).min(1),
})

export const sizingSchema = z
  .strictObject({
    name: z.string(),
    source: z.string(),
    rule_of_thumb: z.strictObject({ input_output_ratio: positive, output_per_worker: positiveCount }),
    redundancy: z
      .strictObject({ min: z.number().min(1), max: z.number().min(1) })
      .refine(({ min, max }) => min <= max, 'min must not be above max'),
    measured_per_worker: z.array(z.strictObject({ path: z.string(), input: positiveCount, output: positiveCount })),
    tiers: z.array(tierSchema).min(1).refine(ascends, 'tiers must ascend in every dimension'),
    rps_tiers: z.strictObject({ source: z.string(), tiers: z.array(rpsTierSchema).min(1) }),
    network: z.strictObject({
      output_bytes_per_token: positive,
      input_bytes_per_token: positive,
      source: z.string(),
      target_utilisation: positive.max(1),
    }),
    node: z.strictObject({
      type: z.string(),
      cloud: z.string(),
      vcpu: z.int().min(2, 'a node of one vCPU has no whole one left for a worker'),
      memory_gib: positive,
      bandwidth_gbps: positive,
      source: z.string(),
    }),
    instances: z.strictObject({ recommended: z.array(familiesSchema).min(1), avoid: z.array(familiesSchema) }),
  })
  .transform(
    (file): Sizing => ({
      name: file.name,
      source: file.source,
      ratio: file.rule_of_thumb.input_output_ratio,
      outputPerWorker: file.rule_of_thumb.output_per_worker,
      redundancy: file.redundancy,
      measuredPerWorker: file.measured_per_worker.map(({ path, input, output }) => ({
        path,
        inputTokensPerSec: input,
        outputTokensPerSec: output,
      })),
      tiers: file.tiers,
      rpsTiers: file.rps_tiers,
      network: {
        outputBytesPerToken: file.network.output_bytes_per_token,
        inputBytesPerToken: file.network.input_bytes_per_token,
        targetUtilisation: file.network.target_utilisation,
        source: file.network.source,
      },
      node: {
        type: file.node.type,
        cloud: file.node.cloud,
        vcpu: file.node.vcpu,
        memoryGib: file.node.memory_gib,
        bandwidthGbps: file.node.bandwidth_gbps,
        source: file.node.source,
      },
      instances: file.instances,
    }),
  )

export function readSizing(path: string = packaged('profiles', 'sizing', 'kong.yaml')): Sizing {
  return readYaml(path, sizingSchema, 'sizing profile')
}

function hasOneBound(tier: { from?: unknown; above?: unknown }): boolean {
  return (tier.from === undefined) !== (tier.above === undefined)
}

function ascends(tiers: z.output<typeof tierSchema>[]): boolean {
  return tiers.every((tier, i) => {
    const here = tier.from ?? tier.above
    const before = tiers[i - 1]?.from ?? tiers[i - 1]?.above
    if (!here || !before) return true
    return (
      here.entities > before.entities &&
      here.inputTokensPerSec > before.inputTokensPerSec &&
      here.outputTokensPerSec > before.outputTokensPerSec
    )
  })
}
