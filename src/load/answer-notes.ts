/**
 * What is to be said of answers that count as successes: that they held nothing, lacked their end mark, or had members
 * that kt does not know. Plain data comes out.
 */
import type { RequestResult } from '../client/request-result.ts'
import { fields, joined, type Sum, total } from './add-up.ts'

export interface AnswerNotes {
  /** Answers that held nothing, where the run allows them. */
  empty: number
  /** Streams that ended with a finish reason and without an end mark. */
  unmarked: number
  /** Answers with output tokens that kt did not see, these tokens, and the members in which they may have come. */
  suspect: { answers: number; missedTokens: number; members: string[] }
}

const MOST_NAMES = 8

export class AnswerNotesRecorder {
  readonly #notes: AnswerNotes = { empty: 0, unmarked: 0, suspect: { answers: 0, missedTokens: 0, members: [] } }

  /** A request was answered. */
  answered({ empty, unmarked, unknownMembers, missedTokens }: RequestResult): void {
    if (empty) this.#notes.empty++
    if (unmarked) this.#notes.unmarked++
    if (missedTokens === 0) return
    const { suspect } = this.#notes
    suspect.answers++
    suspect.missedTokens += missedTokens
    for (const name of unknownMembers) {
      if (suspect.members.length < MOST_NAMES && !suspect.members.includes(name)) suspect.members.push(name)
    }
  }

  toRecord(): AnswerNotes {
    return this.#notes
  }
}

export const notesSum = fields<AnswerNotes>({
  empty: total,
  unmarked: total,
  suspect: fields<AnswerNotes['suspect']>({ answers: total, missedTokens: total, members: namesSum }),
})

function namesSum(): Sum<string[]> {
  const all = joined<string>()()
  return { add: all.add, total: () => [...new Set(all.total())].slice(0, MOST_NAMES) }
}
