/** A gate's verdict for a person: PASS, FAIL or INCONCLUSIVE, the figure against its limit, and why. Strings out. */
import type { ChalkInstance } from 'chalk'
import type { Gate, Verdict } from '../report/schema.ts'
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

/** A component against its budget, in a word. */
export function verdictMark(verdict: Verdict | null, c: ChalkInstance): string {
  if (verdict === 'pass') return c.green('ok')
  return verdict === 'fail' ? c.red('over') : c.yellow('?')
}
