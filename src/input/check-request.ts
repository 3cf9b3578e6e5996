/** What `kt plan check` holds against what: the figures of a saved plan, or of the options, and a report. */
import { UserError } from '../errors.ts'
import { type CheckedRun, type CheckResult, checkPlan } from '../plan/check.ts'
import { FIGURE_KEYS, type Figures } from '../plan/figures.ts'
import { bestReading } from '../report/judge.ts'
import { planSchema } from '../report/plan-schema.ts'
import { readReport } from '../report/read.ts'
import { measuredRun } from './calibration.ts'
import { readYaml } from './file.ts'
import type { PlanFlags } from './plan-flags.ts'
import { shareOf, wholeCount } from './plan-numbers.ts'
import { choicesOf } from './plan-request.ts'
import { readSizing } from './sizing.ts'

export type CheckFlags = PlanFlags & {
  against: string
  plan?: string | undefined
  workers?: string | undefined
  tolerance?: string | undefined
}

export async function checkRequest(flags: CheckFlags): Promise<CheckResult> {
  const report = readReport(flags.against)
  const run = measuredRun(
    flags.against,
    report,
    flags.workers === undefined ? 1 : wholeCount('workers', flags.workers, 'workers that carried the run', '1'),
  )
  const stamped = bestReading(report)
  const checked: CheckedRun = {
    ...run,
    mode: report.load.mode,
    achievedToOffered: report.client.achievedToOffered ?? undefined,
    overheadP50Ms: stamped?.totalMs.p50,
    latencyP50Ms: report.latencyMs?.p50,
    ttftP50Ms: report.ttftMs?.p50,
    tpotP50Ms: report.tpotMs?.p50,
  }
  return checkPlan(checked, await figuresOf(flags, run.stream), shareOf('tolerance', flags.tolerance ?? '10%', '10%'))
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
