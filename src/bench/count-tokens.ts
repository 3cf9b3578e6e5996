/**
 * Completes the tokens of a record's arms. What the provider did not report is counted with o200k_base, the
 * vocabulary of OpenAI's current models, in a sample of answers and scaled to all of them by bytes. The tokenizer is
 * loaded only here, after the measurement, because it takes 0.2 s and 80 MB; where it is not installed, events are
 * counted. Counting takes no longer than the run: what the time does not suffice for is scaled too.
 */

import type { ArmRecord } from '../load/arm-record.ts'
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { now } from '../system/clock.ts'
import { loadOptional } from '../system/optional-package.ts'
import { extractAnswerText, extractRequestText } from '../wire/answer-text.ts'
import { requestMaker } from '../workload/request-maker.ts'

/** A run that is shorter may be counted for as long. */
const SHORTEST_US = 300_000
/** The tokenizer takes the square of the length of a run of one letter, so it gets no more at once. */
const LONGEST_PIECE = 400

export async function countTokens(
  plan: RunPlan,
  record: RunRecord,
  note: (line: string) => void = () => {},
): Promise<RunRecord> {
  const sampled = record.arms.filter(({ tokens }) => tokens.samples.length > 0)
  if (sampled.length === 0) return { ...record, arms: record.arms.map(byEvents) }
  const tokenizer = await loadOptional(
    ['gpt-tokenizer'],
    'counting the tokens of answers that tell no usage',
    () => import('gpt-tokenizer/encoding/o200k_base'),
  )
  if (!tokenizer.ok) {
    note(`${tokenizer.why}. ${tokenizer.next}`)
    return { ...record, arms: record.arms.map(byEvents) }
  }
  const { countTokens: count } = tokenizer.value
  const tokensOf = (text: string): number => count(text, { disallowedSpecial: new Set() })
  const budgetUs = Math.max(SHORTEST_US, record.measuredUs) / sampled.length
  const make = requestMaker(plan.workload)
  const arms = record.arms.map((arm, position) => {
    const { samples, withoutUsage } = arm.tokens
    if (samples.length === 0) return byEvents(arm)
    const untilUs = now() + budgetUs
    const seen = { output: 0, answerBytes: 0, input: 0, requestChars: 0 }
    for (const { index, text, streamed, share, bodyBytes } of samples) {
      const answer = countUntil(untilUs, extractAnswerText(text, streamed), tokensOf)
      seen.output += answer.tokens
      seen.answerBytes += answer.share * share * bodyBytes
      const { body } = make(plan.arms[position]?.tag ?? '', index)
      const request = countUntil(untilUs, extractRequestText(body), tokensOf)
      seen.input += request.tokens
      // Of a long trace the row is gone, and another one's text is counted: its own characters are the measure.
      seen.requestChars += request.share * body.length
      if (now() > untilUs) break
    }
    return counted(arm, {
      input: Math.round((seen.input / seen.requestChars) * withoutUsage.requestChars),
      output: Math.round((seen.output / seen.answerBytes) * withoutUsage.answerBytes),
      fromTokenizer: withoutUsage.requests,
    })
  })
  return { ...record, arms }
}

/** The tokens of a text, or of its beginning where the time is over, and the share of the text that was counted. */
function countUntil(
  untilUs: number,
  text: string,
  tokensOf: (text: string) => number,
): { tokens: number; share: number } {
  let tokens = 0
  let at = 0
  while (at < text.length && (at === 0 || now() <= untilUs)) {
    const end = pieceEnd(text, at)
    tokens += tokensOf(text.slice(at, end))
    at = end
  }
  return { tokens, share: text.length === 0 ? 1 : at / text.length }
}

/** Where a piece may end: before a word, where a token begins in any case; or after its longest length. */
function pieceEnd(text: string, at: number): number {
  const longest = at + LONGEST_PIECE
  if (longest >= text.length) return text.length
  for (let end = longest; end > at; end--) {
    if (text[end] === ' ' && isInWord(text[end - 1]) && isInWord(text[end + 1])) return end
  }
  return longest
}

function isInWord(char: string | undefined): boolean {
  return char !== undefined && char.trim() !== ''
}

/** Without a sample of answers, every event that carries tokens counts as one token. */
function byEvents(arm: ArmRecord): ArmRecord {
  const { tokenEvents, requests } = arm.tokens.withoutUsage
  return tokenEvents === 0 ? arm : counted(arm, { output: tokenEvents, fromEvents: requests })
}

interface Counted {
  input?: number
  output: number
  fromTokenizer?: number
  fromEvents?: number
}

function counted(arm: ArmRecord, { input = 0, output, fromTokenizer = 0, fromEvents = 0 }: Counted): ArmRecord {
  const { tokens } = arm
  return {
    ...arm,
    tokens: { ...tokens, input: tokens.input + input, output: tokens.output + output, fromTokenizer, fromEvents },
  }
}
