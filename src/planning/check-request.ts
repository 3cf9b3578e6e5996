/** `kt plan check`: holds a report against the figures of a saved plan, or of the flags. */

import { UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { parseFlag, share } from '../parse/quantity.ts'
import { type CheckResult, checkPlan, mostLoadedRun } from '../plan/check.ts'
import { FIGURE_KEYS, type PlanFigures } from '../plan/figures.ts'
import { planSchema } from '../report/plan-schema.ts'
import { measuredRuns } from './measured-runs.ts'
import type { PlanFlags } from './plan-flags.ts'
import { wholeCount } from './plan-flags.ts'
import { buildChoices } from './plan-request.ts'
import { readSizing } from './sizing.ts'

type CheckFlags = PlanFlags & {
  against: string
  plan?: string | undefined
  workers?: string | undefined
  tolerance?: string | undefined
}

export function checkRequest(flags: CheckFlags): CheckResult {
  const workers = parseWorkers(flags)
  const runs = measuredRuns(flags.against, workers)
  const figures = chooseFigures(
    flags,
    runs.some(({ stream }) => stream),
  )
  const run = mostLoadedRun(runs, figures.ratio.value)
  if (!run) throw new Error('a report without a run')
  return checkPlan(run, figures, parseFlag('tolerance', flags.tolerance ?? '10%', share, '10%'))
}

function parseWorkers({ workers }: CheckFlags): number | undefined {
  return workers === undefined ? undefined : wholeCount('workers', workers, 'workers that carried the run', '1')
}

function chooseFigures(flags: CheckFlags, stream: boolean): PlanFigures {
  const sizing = readSizing(flags.sizing)
  const { figures } = buildChoices(flags, sizing, stream ? 1 : 0)
  return flags.plan === undefined ? figures : readPlanFigures(flags.plan, figures)
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
