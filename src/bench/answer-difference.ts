/** Where two answers to one request begin to differ, and what stands there. */

import type { AnswerText } from '../wire/answer-text.ts'
import type { TextKind } from '../wire/format.ts'

/** What stands before the first differing character, and from it on. */
const BEFORE_CHARS = 12
const AFTER_CHARS = 28

export interface AnswerDifference {
  choice: number
  kind: TextKind
  /** The first character that differs, from 0. */
  at: number
  /** What each of the two says there; '' where it has ended, or has no such text. */
  excerpts: [string, string]
}

/** Undefined where both say the same. */
export function findDifference(
  first: readonly AnswerText[],
  second: readonly AnswerText[],
): AnswerDifference | undefined {
  for (const { choice, kind } of [...first, ...second]) {
    const [a, b] = [textIn(first, choice, kind), textIn(second, choice, kind)]
    if (a !== b) return { choice, kind, ...firstPlace(a, b) }
  }
  return undefined
}

function textIn(texts: readonly AnswerText[], choice: number, kind: TextKind): string {
  return texts.find((one) => one.choice === choice && one.kind === kind)?.text ?? ''
}

function firstPlace(a: string, b: string): Pick<AnswerDifference, 'at' | 'excerpts'> {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return { at, excerpts: [excerpt(a, at), excerpt(b, at)] }
}

function excerpt(text: string, at: number): string {
  if (text === '') return ''
  const [from, to] = [Math.max(0, at - BEFORE_CHARS), at + AFTER_CHARS]
  return `${from > 0 ? '…' : ''}${text.slice(from, to)}${to < text.length ? '…' : ''}`
}
