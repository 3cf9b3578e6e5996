/**
 * What a user may ask of `kt bench`, checked once: flags come as text, a config file's keys as text, numbers and booleans; all
 * leave as numbers in known units. Keys are the flags' names, so that a message names what was typed.
 */
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { explainZodError } from '../input/explain.ts'
import { countOrZero, durationMs, durationOrZeroMs, positiveCount, positiveRate } from '../input/quantity.ts'
import { tokenDistribution } from '../input/tokens.ts'
import { workloadOf } from '../workload/choose.ts'
import type { WorkloadSpec } from '../workload/workload.ts'
import { type Given, keyOf, shownOptions } from './config.ts'

const header = z.string().transform((text, context) => {
  const match = /^([!#$%&'*+\-.^_`|~\w]+)\s*:\s*(.*)$/.exec(text)
  if (match?.[1] && !/[\r\n]/.test(text)) return [match[1].toLowerCase(), match[2] ?? ''] as const
  context.addIssue({ code: 'custom', message: `'${text.split(':')[0]}' is not of the form 'Name: value'` })
  return z.NEVER
})

const schema = z.strictObject({
  url: z.string().optional(),
  'api-key': z.string().optional(),
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
  warmup: countOrZero.optional(),
  header: z.array(header).default([]),
  seed: countOrZero.default(1),
  budget: durationMs.optional(),
  'token-budget': positiveCount.optional(),
  'inject-delay': durationOrZeroMs.optional(),
  'baseline-url': z.string().optional(),
  aa: z.boolean().default(false),
  split: z.boolean().default(false),
  threshold: z.array(z.string()).default([]),
  slo: z.string().optional(),
  json: z.boolean().default(false),
})

export type BenchOptions = z.infer<typeof schema> & {
  /** What is sent: the files and profiles that the flags name, read. */
  sends: WorkloadSpec
  /** All of it as written, without secrets: for the report. */
  shown: Record<string, unknown>
}

export const OPTION_NAMES: readonly string[] = Object.keys(schema.shape)

/** Accepts what was given or throws one UserError with a line for each value that is wrong. */
export function parseBenchOptions({ values, file }: Given): BenchOptions {
  const parsed = schema.safeParse(values)
  if (!parsed.success) {
    const lines = explainZodError(parsed.error, schema).map((line) => {
      const plain = line.replace(/^([\w-]+)\.\d+:/, '$1:')
      const name = plain.split(':')[0] ?? ''
      return file?.names.has(name) ? `${file.path}: ${keyOf(name)}${plain.slice(name.length)}` : `--${plain}`
    })
    throw new UserError(lines.join('\n    '), "See 'kt bench --help'.")
  }
  const options = parsed.data
  const refuse = (message: string, next: string): never => {
    throw new UserError(message, next)
  }
  if (options.rps !== undefined && options.concurrency !== undefined) {
    refuse(
      '--rps and --concurrency exclude each other: an open loop sends on schedule, however many are in flight',
      'Pass --rps for an open loop, or --concurrency for a closed one.',
    )
  }
  if (options['inject-delay'] !== undefined && options.url !== undefined) {
    refuse(
      '--inject-delay goes with the embedded gateway, not with --url',
      "Leave --url out, or start your own with 'kt gateway start --inject-delay'.",
    )
  }
  if (options['baseline-url'] !== undefined && options.url === undefined) {
    refuse('--baseline-url goes with --url', 'Give the gateway in --url; the embedded pair has its baseline already.')
  }
  if (options.aa && options['baseline-url'] !== undefined) {
    refuse('--aa measures one address against itself', 'Leave --baseline-url out.')
  }
  if (options.split && options.output === undefined) {
    refuse('--split needs --output', 'Give --output r.json: r.baseline.json and r.gateway.json are written beside it.')
  }
  if (options.split && options.url !== undefined && options['baseline-url'] === undefined && !options.aa) {
    refuse('--split needs a run with two arms', 'Give --baseline-url too, or leave --url out.')
  }
  return { ...options, sends: workloadOf(options), shown: shownOptions(values, schema.shape) }
}
