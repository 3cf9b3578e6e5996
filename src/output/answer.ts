/**
 * The sentence that a person came for: the number, its interval, the verdict where one was asked for, and what to do
 * next. Every result begins and ends with it, so that it is on the screen however long the rest is.
 */
import type { Check, Gate, Verdict } from '../report/schema.ts'
import { hang } from '../system/terminal.ts'
import { counted } from '../units.ts'
import { checkSentence, verdictLabel } from './sentences.ts'
import type { Page } from './table.ts'

export interface Answer {
  /** Absent where nobody asked for one. */
  verdict?: Verdict
  text: string
  next: string
}

function answerLines({ verdict, text, next }: Answer, { c, width }: Page): string {
  const label = verdict ? verdictLabel(verdict, c) : ''
  return hang(label, c.bold([text, next].filter((part) => part !== '').join(' ')), width).join('\n')
}

/** A result between its answer and its answer again. */
export function answered(answer: Answer, parts: readonly string[], page: Page): string {
  const lines = answerLines(answer, page)
  return [lines, ...parts.filter((part) => part !== ''), lines].join('\n\n')
}

/** What to do next, by verdict. */
export interface Steps {
  pass: string
  fail: string
  /** Where no number of requests would decide it: such a check names that number itself. */
  open: string
}

/** The answer to what was asked: the worst check, and how many there are beside it. */
export function gateAnswer({ verdict, checks }: Gate, steps: Steps): Answer {
  const check = checks.find((one) => one.verdict === verdict)
  if (!check) return { verdict, text: 'Nothing was judged.', next: '' }
  const others = checks.length - 1
  const beside = others === 0 ? '' : ` Of ${counted(checks.length, 'check')}${theWorst(verdict)}.`
  return { verdict, text: `${checkSentence(check)}.${beside}`, next: nextStep(check, steps) }
}

function theWorst(verdict: Verdict): string {
  return verdict === 'pass' ? ' all passed' : ' it is the worst'
}

function nextStep({ verdict, requestsNeeded }: Check, { pass, fail, open }: Steps): string {
  if (verdict === 'inconclusive') return requestsNeeded === undefined ? open : ''
  return verdict === 'pass' ? pass : fail
}
