/** The flags of `kt plan` itself: those of every planning command, the manifests, and how the plan is printed. */
import { failure } from '../errors.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { parseFlags, type Rule, rulesOf } from '../parse/parse-flags.ts'
import { COST_RULES, costFlags } from './cost-request.ts'
import { EMIT_RULES, emitFlags } from './emit-flags.ts'
import { planFlags } from './plan-flags.ts'
import { PLAN_RULES } from './plan-rules.ts'

const { toggle } = flagGroup()

export const planCommandFlags = {
  ...planFlags,
  ...costFlags,
  ...emitFlags,
  explain: toggle('show every formula with its inputs, their sources and dates'),
  json: toggle('print the plan as JSON (kt.plan/1)'),
  markdown: toggle('print the plan as Markdown'),
}

type PlanCommandOptions = FlagValues<typeof planCommandFlags>

const rule = rulesOf<PlanCommandOptions>()

const RULES: readonly Rule<PlanCommandOptions>[] = [
  ...PLAN_RULES,
  ...COST_RULES,
  ...EMIT_RULES,
  ...(['markdown', 'explain'] as const).map((name) =>
    rule(
      ['json', name],
      (options) =>
        options.json &&
        options[name] &&
        failure(`--json and --${name} both say how the plan is printed`, 'Leave one of them out.'),
    ),
  ),
]

/** `command` is `kt plan`, or its other name. */
export function parsePlanFlags(flags: Readonly<Record<string, unknown>>, command: string): PlanCommandOptions {
  return parseFlags(flags, planCommandFlags, command, RULES)
}
