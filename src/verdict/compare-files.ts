/** `kt bench compare` from reports and flags to a comparison: reads the reports, checks the flags, compares. */
import { z } from 'zod'
import { failure, UserError } from '../errors.ts'
import { compareImported, isForeign, type Side } from '../imports/compare.ts'
import { readForeign } from '../imports/foreign.ts'
import { type FlagValues, flagGroup, oneOf } from '../parse/flags.ts'
import { rulesOf } from '../parse/parse-flags.ts'
import { limitMs } from '../parse/quantity.ts'
import { readResult, toRun } from '../report/read.ts'
import { armsApart } from '../report/runs.ts'
import type { BenchReport } from '../report/schema.ts'
import { type Comparison, compareReports } from './compare.ts'
import { readBudgets } from './components.ts'
import { FLUSH_INTERVAL_MS } from './judge-stream.ts'
import { readNoise } from './noise.ts'
import { type Mode, toPair } from './pair.ts'
import { maxRegression, threshold } from './thresholds.ts'
import { MAX_REGRESSION } from './verdict.ts'

const { text, texts, toggle } = flagGroup()

export const compareFlags = {
  mode: text(oneOf(['overhead', 'regression']).optional(), 'question to judge [default: by the roles in the reports]', {
    helpValue: 'overhead|regression',
  }),
  budget: text(limitMs.optional(), "limit of P99 overhead, such as '7ms' [default: the total of --budget-file]"),
  'budget-hold': text(
    limitMs.optional(),
    `limit of how long tokens of a stream are held back [default: with --budget ${FLUSH_INTERVAL_MS}ms]`,
    { helpValue: '100ms' },
  ),
  'budget-file': text(
    z.string().optional(),
    'gate on the budgets of this file: the total, and each part that the gateway reports',
    { helpValue: 'file.yaml' },
  ),
  'max-regression': text(
    maxRegression.optional(),
    'limit of the growth of P99: a duration, a share, or both, of which the larger holds [default: 0.5ms,10%]',
  ),
  threshold: texts(
    z.array(threshold).optional(),
    "threshold, such as 'overhead.p99<7ms'; repeatable; replaces the limit of the mode unless that is given too",
  ),
  noise: text(
    z.string().optional(),
    'report of an A/A run on this rig, whose noise is shown beside the verdict [default: the noise of the ' +
      'gateway run]',
    { helpValue: 'aa.json' },
  ),
  'allow-different': toggle('judge even if the runs measured different things'),
  'no-gate': toggle('print only the figures and exit 0'),
  json: toggle('print the comparison (kt.compare/1) instead of tables'),
  explain: toggle('also show every quantile, the parts of the overhead, and what the verdict rests on'),
}

type CompareOptions = FlagValues<typeof compareFlags>

/** The flags of a verdict, of which --no-gate wants none. `inconclusive` and `junit` are those of every verdict. */
const GATE_FLAGS = [
  'budget',
  'budget-hold',
  'budget-file',
  'max-regression',
  'threshold',
  'allow-different',
  'inconclusive',
  'junit',
] as const

const rule = rulesOf<CompareOptions & { inconclusive: unknown; junit: unknown }>()

export const COMPARE_RULES = GATE_FLAGS.map((name) =>
  rule(
    ['no-gate', name],
    (given) =>
      given['no-gate'] &&
      given[name] !== undefined &&
      given[name] !== false &&
      failure(`--${name} has no effect with --no-gate, which judges nothing`, 'Leave one of them out.'),
  ),
)

/**
 * Whether the user gave a limit. Without one only a proven breach of the standard one ends with an exit code of its
 * own.
 */
export function givesLimit(options: CompareOptions): boolean {
  return ['budget', 'budget-hold', 'budget-file', 'max-regression', 'threshold'].some(
    (name) => options[name as keyof CompareOptions] !== undefined,
  )
}

/** The name of a file, or a report that is read already. */
type Source = string | BenchReport

interface Sources {
  baseline: Source
  gateway?: Source | undefined
}

/** What is compared, and what its files are called. */
export interface Sides {
  baseline: Side
  gateway: Side
  files: Record<'baseline' | 'gateway', string>
}

export function compareSides({ baseline, gateway, files }: Sides, options: CompareOptions): Comparison {
  const { budget, 'max-regression': asked, threshold: thresholds = [] } = options
  const budgets = readBudgets(options['budget-file'])
  if (isForeign(baseline) || isForeign(gateway)) {
    if (givesLimit(options)) throw notJudged(files[isForeign(gateway) ? 'gateway' : 'baseline'])
    return compareImported(baseline, gateway, files)
  }
  const { mode } = toPair(baseline, gateway, options.mode)
  const budgetAsked = budget !== undefined || options['budget-file'] !== undefined
  if (mode === 'regression' && budgetAsked) throw otherMode('a budget', mode, '--max-regression', 'overhead')
  if (mode === 'overhead' && asked !== undefined) throw otherMode('--max-regression', mode, '--budget', 'regression')
  return compareReports(baseline, gateway, {
    files,
    mode: options.mode,
    budgetMs: budget ?? budgets.totalMs,
    streams: {
      budgetMs: budgetAsked ? (budget ?? budgets.totalMs) : undefined,
      holdMs: options['budget-hold'],
    },
    componentsMs: options['budget-file'] === undefined ? {} : budgets.components,
    componentBudgetsMs: { ...budgets.components, total: budgets.totalMs },
    maxRegression: asked ?? MAX_REGRESSION,
    thresholds,
    primary: thresholds.length === 0 || budgetAsked || asked !== undefined,
    allowDifferent: options['allow-different'],
    noGate: options['no-gate'],
    noise: options.noise === undefined ? undefined : readNoise(options.noise),
  })
}

/** The runs that two sources hold, or the arms of one. Each is read once, since a pipe gives what it holds once. */
export function readSides({ baseline, gateway }: Sources): Sides {
  const files = { baseline: nameOf(baseline, 'baseline'), gateway: nameOf(gateway ?? baseline, 'gateway') }
  const first = read(baseline, 'baseline')
  if (gateway !== undefined) return { baseline: first, gateway: read(gateway, 'gateway'), files }
  const arms = isForeign(first) ? undefined : armsApart(first)
  if (arms) return { ...arms, files }
  throw new UserError(
    `${files.baseline} holds one arm: there is nothing to compare it with`,
    'Name the report of the other run too: kt bench compare baseline.json gateway.json',
  )
}

function read(source: Source, name: string): Side {
  if (typeof source !== 'string') return toRun(source, name)
  const { schema, value } = readResult(source)
  return (schema === undefined ? readForeign(value) : undefined) ?? toRun(value, source)
}

function notJudged(file: string): UserError {
  return new UserError(
    `${file} is the result of another tool: it has no blocks, and nothing can be judged by it`,
    'Leave the limit out to see the figures side by side, or measure with kt bench.',
  )
}

function nameOf(source: Source, name: string): string {
  return typeof source === 'string' ? source : name
}

function otherMode(given: string, mode: Mode, right: string, other: Mode): UserError {
  return new UserError(
    `${given} does not go with mode ${mode}, which follows from the roles in the reports`,
    `Give ${right}, or --mode ${other}.`,
  )
}
