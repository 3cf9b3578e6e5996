/**
 * The options of `kt bench` as a zod schema. Flags come as text, the keys of a config file as text, numbers and
 * booleans; all leave as numbers in known units. Keys are the names of the flags, so that a message names what the
 * user typed.
 */
import { z } from 'zod'
import { countOrZero, durationMs, durationOrZeroMs, positiveCount, positiveRate } from '../parse/quantity.ts'
import { parseLatency } from '../provider/latency.ts'
import { ARRIVAL_KINDS } from '../schedule/arrivals.ts'
import { parseStages } from '../schedule/ramp.ts'
import { tokenDistribution } from '../workload/distribution.ts'
import type { WorkloadSpec } from '../workload/workload.ts'

/** 'Name: value', as [name, value]. */
export const header = z.string().transform((text, context) => {
  const match = /^([!#$%&'*+\-.^_`|~\w]+)\s*:\s*(.*)$/.exec(text)
  if (match?.[1] && !/[\r\n]/.test(text)) return [match[1].toLowerCase(), match[2] ?? ''] as const
  context.addIssue({ code: 'custom', message: "not of the form 'Name: value'" })
  return z.NEVER
})

const stages = z.string().transform((text, context) => {
  const parsed = parseStages(text)
  if (parsed.ok) return parsed.value
  context.addIssue({ code: 'custom', message: parsed.why })
  return z.NEVER
})

/**
 * '200' is a number of requests, '10s' a duration, given as milliseconds in an object so that the two cannot be mixed
 * up.
 */
const countOrDuration = z.union([z.string(), z.number()]).transform((raw, context): number | { ms: number } => {
  const count = countOrZero.safeParse(raw)
  if (count.success) return count.data
  const ms = durationOrZeroMs.safeParse(raw)
  if (ms.success) return { ms: ms.data }
  context.addIssue({
    code: 'custom',
    message: `'${raw}' is neither a count such as '200' nor a duration such as '10s'`,
  })
  return z.NEVER
})

/** A delay, in the form of the simulated provider. */
const latency = z
  .string()
  .refine((text) => parseLatency(text) !== undefined, `not a delay such as '20ms' or 'lognormal(20ms,0.3)'`)

const countOrAuto = z.union([z.string(), z.number()]).transform((raw, context): number | 'auto' => {
  if (raw === 'auto') return raw
  const count = positiveCount.safeParse(raw)
  if (count.success) return count.data
  context.addIssue({ code: 'custom', message: `'${raw}' is neither a number of threads nor 'auto'` })
  return z.NEVER
})

export const schema = z.strictObject({
  url: z.string().optional(),
  'api-key': z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'the key holds a blank, a line break or a letter that no header may hold')
    .optional(),
  requests: positiveCount.optional(),
  concurrency: positiveCount.optional(),
  rps: positiveRate.optional(),
  duration: durationMs.optional(),
  model: z.string().min(1, 'must not be empty').optional(),
  prompt: z.string().min(1, 'must not be empty').optional(),
  prompts: z.string().optional(),
  body: z.string().optional(),
  workload: z.string().optional(),
  'input-tokens': tokenDistribution.optional(),
  'output-tokens': tokenDistribution.optional(),
  'max-tokens': positiveCount.optional(),
  'shared-prefix-tokens': positiveCount.optional(),
  'shared-prefixes': positiveCount.optional(),
  endpoint: z.enum(['chat', 'completions', 'embeddings']).optional(),
  stream: z.boolean().optional(),
  'measure-ttfb': z.boolean().default(false),
  output: z.string().optional(),
  timeout: durationMs.optional(),
  'connect-timeout': durationMs.optional(),
  'ttft-timeout': durationMs.optional(),
  'idle-timeout': durationMs.optional(),
  'no-keepalive': z.boolean().default(false),
  ca: z.string().optional(),
  insecure: z.boolean().default(false),
  http2: z.boolean().default(false),
  connections: positiveCount.optional(),
  arrival: z.enum(ARRIVAL_KINDS).optional(),
  burstiness: positiveRate.optional(),
  stages: stages.optional(),
  'think-time': durationOrZeroMs.optional(),
  'max-in-flight': positiveCount.optional(),
  warmup: countOrDuration.optional(),
  'cool-down': durationMs.optional(),
  drain: durationOrZeroMs.optional(),
  workers: countOrAuto.optional(),
  samples: z.string().optional(),
  header: z.array(header).default([]),
  seed: countOrZero.default(1),
  budget: durationMs.optional(),
  'token-budget': positiveCount.optional(),
  'inject-delay': durationOrZeroMs.optional(),
  floor: z.boolean().optional(),
  rehearsal: z.boolean().optional(),
  'token-gap': latency.optional(),
  'baseline-url': z.string().optional(),
  aa: z.boolean().default(false),
  noise: z.string().optional(),
  'max-regression': z.string().optional(),
  pairing: z.enum(['block', 'request']).optional(),
  'until-decided': z.boolean().default(false),
  split: z.boolean().default(false),
  threshold: z.array(z.string()).default([]),
  slo: z.string().optional(),
  'slo-file': z.string().optional(),
  budgets: z.string().optional(),
  inconclusive: z.enum(['fail', 'warn']).default('fail'),
  junit: z.string().optional(),
  markdown: z.string().optional(),
  json: z.boolean().default(false),
})

export type BenchOptions = z.infer<typeof schema> & {
  /** What is sent, with the files and profiles that the flags name already read. */
  workloadSpec: WorkloadSpec
  /** The options as the user wrote them, without secrets, for the report. */
  shown: Record<string, unknown>
}

export const OPTION_NAMES: readonly string[] = Object.keys(schema.shape)
