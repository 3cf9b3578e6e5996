/**
 * What a bench leaves behind: its report, its samples, its verdict for CI, and who has stdout. The flags with their
 * types, and what contradicts what.
 */
import { z } from 'zod'
import { failure } from '../../errors.ts'
import { exportFlags } from '../../exports/write.ts'
import { ciFlags } from '../../output/ci.ts'
import { parseStatistics } from '../../output/statistics.ts'
import { htmlFlag } from '../../page/flag.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { type Faults, type Given, rulesOf } from '../../parse/parse-flags.ts'
import { parsedBy } from '../../parse/quantity.ts'
import { stdoutFlag } from '../../report/write-report.ts'
import { ARM_FLAGS, hasOneArm, needsTwoArms, type TargetFlagValues } from './target.ts'
import { isJudged, JUDGING_FLAGS, type VerdictOptions } from './verdict.ts'

const { text, texts, toggle } = flagGroup('RESULT')

/** 'key=value', as [key, value]. */
const label = z.string().transform((given, context): readonly [string, string] => {
  const [, key, value] = /^([A-Za-z][\w.-]*)=(.{1,200})$/.exec(given) ?? []
  if (key !== undefined && value !== undefined) return [key, value]
  context.addIssue({ code: 'custom', message: `'${given}' is not of the form key=value` })
  return z.NEVER
})

/** Those of a sweep too. */
export const labelFlag = {
  label: texts(
    z.array(label).default([]),
    'keep this in the report, such as gateway=kong-3.12; repeatable; compare and history show it',
    { helpValue: 'key=value' },
  ),
}

export const outputFlags = {
  output: text(z.string().optional(), "write the report (kt.bench/2) to this file; '-': stdout"),
  json: toggle('print the report instead of tables'),
  explain: toggle('also show how it was measured: other definitions of the overhead, floor, legs, notes'),
  percentiles: text(
    parsedBy(parseStatistics).optional(),
    'what the table says of durations: percentiles, mean, stddev, min, max',
    { example: '50,99,99.9' },
  ),
  samples: text(
    z.string().optional(),
    "write a line for each request (NDJSON, or CSV where its name ends so) to this file; '-': stdout",
  ),
  ...htmlFlag,
  ...exportFlags,
  ...labelFlag,
  split: toggle('also write each arm of the run as its own report'),
  'measure-ttfb': toggle('show the time to first byte without --stream too'),
  ...ciFlags,
  // The report shows what an inconclusive verdict came to, also where the user did not say.
  inconclusive: { ...ciFlags.inconclusive, type: ciFlags.inconclusive.type.default('fail') },
}

type OutputFlagValues = FlagValues<typeof outputFlags>

export type OutputOptions = OutputFlagValues & {
  /** The flag whose file is stdout, if any. */
  taken: string | undefined
}

const rule = rulesOf<OutputFlagValues & VerdictOptions & TargetFlagValues>()

const RULES = [
  rule(
    ['otlp', 'otlp-traces'],
    ({ otlp, 'otlp-traces': traces }) =>
      traces !== undefined &&
      otlp === undefined &&
      failure('--otlp-traces needs a collector', 'Say which: --otlp http://127.0.0.1:4318.'),
  ),
  rule(
    ['split', 'output'],
    ({ split, output }) =>
      split &&
      output === undefined &&
      failure(
        '--split needs --output',
        'Give --output r.json: r.baseline.json and r.gateway.json are written beside it.',
      ),
  ),
  rule(['split', ...ARM_FLAGS], (given) => given.split && hasOneArm(given) && needsTwoArms('--split')),
  rule(
    ['junit', ...JUDGING_FLAGS],
    ({ junit, ...judging }) =>
      junit !== undefined &&
      !isJudged(judging) &&
      failure(
        '--junit writes verdicts, and nothing is judged',
        "Say by what: --budget 7ms, --budget-file b.yaml, --threshold 'errors.rate<0.1%' or --slo chat-short.",
      ),
  ),
]

export function readOutput(
  given: Given,
  target: TargetFlagValues,
  verdict: VerdictOptions,
  faults: Faults,
): OutputOptions {
  const values = faults.read(outputFlags, given)
  faults.check({ ...target, ...verdict, ...values }, RULES)
  const { output, samples, html, csv, openmetrics, junit, markdown, json } = values
  const files = {
    '--output': output,
    '--samples': samples,
    '--html': html,
    '--csv': csv,
    '--openmetrics': openmetrics,
    '--junit': junit,
    '--markdown': markdown,
  }
  return { ...values, taken: faults.attempt(() => stdoutFlag(files, json)) }
}
