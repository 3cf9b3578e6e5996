/** What `kt plan check` holds against what: the figures of a saved plan, or of the options, and a report. */
import { UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { type CheckResult, checkPlan, tellingRun } from '../plan/check.ts'
import { FIGURE_KEYS, type Figures } from '../plan/figures.ts'
import { planSchema } from '../report/plan-schema.ts'
import { measuredRuns } from './measured-runs.ts'
import type { PlanFlags } from './plan-flags.ts'
import { shareOf, wholeCount } from './plan-flags.ts'
import { choicesOf } from './plan-request.ts'
import { readSizing } from './sizing.ts'

export type CheckFlags = PlanFlags & {
  against: string
  plan?: string | undefined
  workers?: string | undefined
  tolerance?: string | undefined
}

export async function checkRequest(flags: CheckFlags): Promise<CheckResult> {
  const workers = wholeCountOf(flags)
  const runs = measuredRuns(flags.against, workers)
  const figures = await figuresOf(
    flags,
    runs.some(({ stream }) => stream),
  )
  const run = tellingRun(runs, figures.ratio.value)
  if (!run) throw new Error('a report without a run')
  return checkPlan(run, figures, shareOf('tolerance', flags.tolerance ?? '10%', '10%'))
}

function wholeCountOf({ workers }: CheckFlags): number | undefined {
  return workers === undefined ? undefined : wholeCount('workers', workers, 'workers that carried the run', '1')
}

async function figuresOf(flags: CheckFlags, stream: boolean): Promise<Figures> {
  const sizing = readSizing(flags.sizing)
  const { figures } = await choicesOf(flags, sizing, stream ? 1 : 0)
  return flags.plan === undefined ? figures : figuresOfPlan(flags.plan, figures)
}

/** The figures that a saved plan was made with; they stand among the inputs of its constraints. */
function figuresOfPlan(path: string, base: Figures): Figures {
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
