/** `kt plan check`: holds a report against the figures of a saved plan, or of the flags. */

import { z } from 'zod'
import { failure, UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { parseFlags, type Rule, rulesOf } from '../parse/parse-flags.ts'
import { share } from '../parse/quantity.ts'
import { type CheckResult, checkPlan, mostLoadedRun } from '../plan/check.ts'
import { FIGURE_KEYS, type PlanFigures } from '../plan/figures.ts'
import { planSchema } from '../report/plan-schema.ts'
import { measuredRuns } from './measured-runs.ts'
import { figureFlags, fleetFlags, wholeCount } from './plan-flags.ts'
import { buildChoices } from './plan-request.ts'
import { FIGURE_RULES } from './plan-rules.ts'
import { readSizing } from './sizing.ts'

const { text, toggle } = flagGroup()

/** The flags of `kt plan check`. */
export const checkFlags = {
  against: text(
    z.string({ error: 'is missing: the report of a run' }),
    'report of kt bench through the gateway, or of kt bench sweep (required)',
    { example: 'report.json' },
  ),
  plan: text(z.string().optional(), "plan that 'kt plan --json' printed", { helpValue: 'plan.json' }),
  workers: text(
    wholeCount.optional(),
    'workers of the gateway in the run [default: 1; a sweep of the embedded gateway records its own]',
    { example: '1' },
  ),
  tolerance: text(share, 'how much a run may fall short of the plan', { default: '10%', example: '10%' }),
  ...figureFlags,
  json: toggle('print the checks as JSON'),
}

/** The flags of the fleet are not given, and have their defaults. */
const definitions = { ...fleetFlags, ...checkFlags }

type CheckOptions = FlagValues<typeof definitions>

const rule = rulesOf<CheckOptions>()

/** A saved plan has its own figures. */
const RULES: readonly Rule<CheckOptions>[] = Object.keys(figureFlags)
  .filter((name): name is keyof typeof figureFlags => name !== 'sizing')
  .map((name) =>
    rule(
      ['plan', name],
      (options) =>
        options.plan !== undefined &&
        options[name] !== undefined &&
        failure(`--${name} has no effect with --plan, which has its own figures`, 'Leave one of them out.'),
    ),
  )

export function parseCheckFlags(flags: Readonly<Record<string, unknown>>): CheckOptions {
  return parseFlags(flags, definitions, 'kt plan check', [...FIGURE_RULES, ...RULES])
}

export async function checkRequest(options: CheckOptions): Promise<CheckResult> {
  const runs = measuredRuns(options.against, options.workers)
  const figures = await chooseFigures(
    options,
    runs.some(({ stream }) => stream),
  )
  const run = mostLoadedRun(runs, figures.ratio.value)
  if (!run) throw new Error('a report without a run')
  return checkPlan(run, figures, options.tolerance)
}

async function chooseFigures(options: CheckOptions, stream: boolean): Promise<PlanFigures> {
  const { figures } = await buildChoices(options, readSizing(options.sizing), stream ? 1 : 0)
  return options.plan === undefined ? figures : readPlanFigures(options.plan, figures)
}

/** The figures that a saved plan was made with; they stand among the inputs of its constraints. */
function readPlanFigures(path: string, base: PlanFigures): PlanFigures {
  const plan = readYaml(path, planSchema, "plan ('kt plan --json')")
  const figures = { ...base }
  for (const { name, value, from, source } of plan.constraints.flatMap(({ inputs }) => inputs)) {
    const key = FIGURE_KEYS.find((known) => known === name)
    if (key && from !== 'demand' && from !== 'catalogue' && from !== 'computed') figures[key] = { value, from, source }
  }
  if (figures.outputPerWorker.value !== plan.formula.outputPerWorker.value) {
    throw new UserError(
      `${path}: the plan contradicts itself: its formula and its inputs differ`,
      'Make it again with kt plan --json.',
    )
  }
  return figures
}
