/** A gate's verdict for a person: PASS, FAIL or INCONCLUSIVE, the figure against its limit, and why. Strings out. */
import type { ChalkInstance } from 'chalk'
import type { Gate, Verdict } from '../report/schema.ts'
import { formatMs } from '../units.ts'
import { checkSentence, verdictWord } from './check-line.ts'
import { hung } from './text.ts'

export function gateLines(gate: Gate, c: ChalkInstance): string {
  const shades = { pass: c.green, fail: c.red, inconclusive: c.yellow }
  return gate.checks
    .map((check) => {
      const word = verdictWord(check.verdict)
      return hung(`${word}  ${checkSentence(check)}`, '', word.length + 2).replace(
        word,
        shades[check.verdict].bold(word),
      )
    })
    .join('\n')
}

/** A component's budget and, in a word, how it stands to it. Empty without a budget; of 0: it must not show. */
export function budgetCell(budgetMs: number | null, verdict: Verdict | null, c: ChalkInstance): string {
  if (budgetMs === null) return ''
  const mark = verdict === 'pass' ? c.green('ok') : verdict === 'fail' ? c.red('over') : c.yellow('?')
  return budgetMs === 0 ? `none ${mark}` : `< ${formatMs(budgetMs)} ${mark}`
}
