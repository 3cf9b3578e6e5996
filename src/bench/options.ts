/** Checks the options of `kt bench` once: each value by its schema, then the combinations. */
import type { z } from 'zod'
import { UserError } from '../errors.ts'
import { explainZodError } from '../parse/explain.ts'
import { chooseWorkload } from '../workload/choose.ts'
import { type Given, keyOf, shownOptions } from './config.ts'
import { refuseLoad } from './load-options.ts'
import { type BenchOptions, schema } from './option-schema.ts'

/** Throws one UserError with a line for each wrong value. */
export function parseBenchOptions({ values, file }: Given): BenchOptions {
  const parsed = schema.safeParse(values)
  if (!parsed.success) {
    const lines = namedLines(parsed.error, schema, file)
    throw new UserError(lines.join('\n    '), "See 'kt bench --help'.")
  }
  const options = parsed.data
  const refuse = (message: string, next: string): never => {
    throw new UserError(message, next)
  }
  if (options['inject-delay'] !== undefined && options.url !== undefined) {
    refuse(
      '--inject-delay goes with the embedded gateway, not with --url',
      "Leave --url out, or start your own with 'kt gateway start --inject-delay'.",
    )
  }
  if (options['token-gap'] !== undefined && options.url !== undefined) {
    refuse(
      '--token-gap goes with the embedded provider, not with --url',
      "Leave --url out, or start your own with 'kt provider start --token-gap'.",
    )
  }
  if (options['baseline-url'] !== undefined && options.url === undefined) {
    refuse('--baseline-url goes with --url', 'Give the gateway in --url; the embedded pair has its baseline already.')
  }
  if (options.aa && options['baseline-url'] !== undefined) {
    refuse('--aa measures one address against itself', 'Leave --baseline-url out.')
  }
  refusePairs(options, refuse)
  if (options.split && options.output === undefined) {
    refuse('--split needs --output', 'Give --output r.json: r.baseline.json and r.gateway.json are written beside it.')
  }
  if (options.junit !== undefined && !isJudged(options)) {
    refuse(
      '--junit writes verdicts, and nothing is judged',
      "Say by what: --budget 7ms, --budgets file, --threshold 'errors.rate<0.1%' or --slo chat-short.",
    )
  }
  const whole = { ...options, workloadSpec: chooseWorkload(options), shown: shownOptions(values, schema.shape) }
  refuseLoad(whole, refuse)
  const { stages } = whole
  return stages ? { ...whole, duration: stages.durationUs / 1_000 } : whole
}

type Refuse = (message: string, next: string) => never

/** Refuses options that need two arms where the run has one, and wrong combinations of them. */
function refusePairs(options: z.infer<typeof schema>, refuse: Refuse): void {
  const { aa, split, pairing, stages, noise, url, 'baseline-url': baseline } = options
  const untilDecided = options['until-decided']
  const alone = url !== undefined && baseline === undefined && !aa
  const takesTwo = [
    split ? '--split' : [],
    pairing ? '--pairing' : [],
    untilDecided ? '--until-decided' : [],
    options['max-regression'] === undefined ? [] : '--max-regression',
  ].flat()
  if (alone && takesTwo.length > 0) {
    refuse(`${takesTwo[0]} needs a run with two arms`, 'Give --baseline-url too, or leave --url out.')
  }
  if (pairing === 'request' && stages) {
    refuse('--stages goes with --pairing block', 'By request both arms share one load: leave one of them out.')
  }
  if (aa && noise !== undefined) refuse('--aa measures the noise itself', 'Leave --noise out.')
  if (!untilDecided) return
  if (aa) refuse('--until-decided does not go with --aa, which decides nothing', 'Leave one of them out.')
  if (!isJudged(options)) {
    refuse('--until-decided needs something to decide', "Give --budget 7ms, --threshold 'overhead.p99<7ms' or --slo.")
  }
}

/** True when an option asks for a verdict, which decides the exit code. */
function isJudged({ budget, budgets, slo, threshold, ...more }: z.infer<typeof schema>): boolean {
  return [budget, budgets, slo, more['slo-file'], threshold[0], more['max-regression']].some(
    (asked) => asked !== undefined,
  )
}

/** A line for each wrong value, named by the flag that was typed or by the key of the file that it came from. */
export function namedLines(error: z.ZodError, schema: z.ZodType, file: Given['file']): string[] {
  return explainZodError(error, schema).map((line) => {
    const plain = line.replace(/^([\w-]+)\.\d+:/, '$1:')
    const name = plain.split(':')[0] ?? ''
    return file?.names.has(name) ? `${file.path}: ${keyOf(name)}${plain.slice(name.length)}` : `--${plain}`
  })
}
