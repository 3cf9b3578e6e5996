/**
 * Answers of an arm that are kept as they came, to be compared with those of the other arm after the run. Both arms
 * keep the same requests, chosen by their numbers alone: all of them at first; where there are more than 512, or 8 MiB
 * of answers, half of them, and so on. Nothing is read of an answer while the run goes on.
 */
import type { RequestResult } from '../client/request-result.ts'
import { fields, joined, largest, type Sum } from './add-up.ts'
import type { AnswerSample } from './answer-sampler.ts'

const MOST_ANSWERS = 512
const MOST_CHARS = 8 * 1024 * 1024

/** A whole answer; plain data. */
export interface ComparedAnswer {
  /** The number of the request in its arm. */
  index: number
  block: number
  streamed: boolean
  /** The body, decoded. */
  body: string
}

export interface ComparedAnswersRecord {
  /** One of so many requests was chosen; a power of two. */
  every: number
  answers: ComparedAnswer[]
}

/** Whether request `index` is among the chosen where one of `every` is. Whoever is chosen at 8 is so at 4. */
export function isChosen(index: number, every: number): boolean {
  // Mixed, so that the choice does not keep step with prompts that come in turn.
  return ((Math.imul(index + 1, 0x9e3779b1) >>> 12) & (every - 1)) === 0
}

export class ComparedAnswers {
  #every = 1
  #answers: ComparedAnswer[] = []
  #chars = 0

  wants(index: number): boolean {
    return isChosen(index, this.#every)
  }

  /** A good answer came whole. */
  add(sample: AnswerSample, { streamed, bodyBytes, requestChars }: RequestResult, block: number): void {
    if (!this.wants(sample.index)) return
    const kept = sample.kept({ streamed, bodyBytes, requestChars })
    if (kept?.share !== 1) return
    this.#answers.push({ index: kept.index, block, streamed, body: kept.text })
    this.#chars += kept.text.length
    while (this.#answers.length > MOST_ANSWERS || this.#chars > MOST_CHARS) this.#halve()
  }

  toRecord(): ComparedAnswersRecord {
    return { every: this.#every, answers: this.#answers }
  }

  #halve(): void {
    this.#every *= 2
    this.#answers = this.#answers.filter(({ index }) => this.wants(index))
    this.#chars = this.#answers.reduce((sum, { body }) => sum + body.length, 0)
  }
}

/** What several senders kept of one arm. */
export function comparedSum(): Sum<ComparedAnswersRecord> {
  const sum = allCompared()
  return {
    add: sum.add,
    total: () => {
      const { every, answers } = sum.total()
      return { every, answers: answers.filter(({ index }) => isChosen(index, every)) }
    },
  }
}

const allCompared = fields<ComparedAnswersRecord>({ every: largest, answers: joined() })
