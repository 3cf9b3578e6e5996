/** Whether an answer is one: what it holds of the model, held against the usage that it tells. */
import type { TokenUsage } from './usage.ts'

export interface AnswerContent {
  /** Text, reasoning, a refusal, a tool call, sound, a picture, a vector. */
  shown: boolean
  /** Reasoning that only its provider can read, or what only repeats. */
  hidden: boolean
  /** Members that kt does not know, of what holds nothing that it knows. */
  unknown: readonly string[]
}

/** A token has about four characters. */
const CHARS_A_TOKEN = 4

/**
 * An answer is empty when nothing in it is output, and it tells of no output that kt may have missed. The model may
 * have spent all tokens on reasoning that it does not show: where the usage says so, that is an answer.
 */
export function isEmptyAnswer({ shown, hidden, unknown }: AnswerContent, usage: TokenUsage | undefined): boolean {
  if (shown || hidden) return false
  if (usage && usage.reasoning > 0 && usage.reasoning >= usage.output) return false
  return unknown.length === 0 || usage === undefined || usage.output === 0
}

export function describeEmpty({ unknown }: AnswerContent, usage: TokenUsage | undefined): string {
  const told = usage ? `its usage tells ${usage.output} output tokens` : 'it tells no usage'
  const members = unknown.length > 0 ? `; members that kt does not know: ${unknown.join(', ')}` : ''
  return `no text, reasoning, tool call or other output; ${told}${members}`
}

/**
 * Output tokens of the usage that did not come in what kt knows, where there were members that it does not know. A
 * token was seen for each event that bears any, or for every four characters.
 */
export function missedTokens(content: AnswerContent, told: number, tokenEvents: number, chars: number): number {
  if (content.unknown.length === 0) return 0
  return Math.max(0, Math.round(told - Math.max(tokenEvents, chars / CHARS_A_TOKEN)))
}
