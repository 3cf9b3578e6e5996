/** Whether a run confirms a plan, as text: the verdict in the first line. */
import type { CheckResult } from '../plan/check.ts'
import { formatShare } from '../units.ts'
import { PLAN_WIDTH, rows } from './plan-words.ts'
import { indent, wrap } from './text.ts'

const ANSWERS = {
  pass: 'PASS: the run confirms the plan',
  fail: 'FAIL: the run does not confirm the plan',
  inconclusive: 'INCONCLUSIVE: the run cannot tell',
} as const

export function renderPlanCheck({ verdict, shareOfPlanned, busy, checks }: CheckResult): string {
  return [
    `${ANSWERS[verdict]}; ${busy === undefined ? '' : 'by their CPU '}its workers passed ${formatShare(shareOfPlanned)} of what was planned for them`,
    '',
    ...indent(
      rows(
        [
          ['', 'planned', 'measured', ''],
          ...checks.map((check) => [check.name, check.planned, check.measured, check.verdict.toUpperCase()]),
        ],
        ['left', 'left', 'left', 'left'],
      ),
      2,
    ),
    ...checks.filter(({ why }) => why !== '').flatMap(({ name, why }) => wrap(`- ${name}: ${why}`, PLAN_WIDTH, 2)),
  ].join('\n')
}
