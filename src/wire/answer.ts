/**
 * Answers in no format's words: what the writers of formats take, and what their readers make of another provider's
 * answer for a translation.
 */
import type { JsonObject } from './json.ts'
import type { TokenUsage } from './usage.ts'

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/** In OpenAI's terms. */
export interface AnswerError {
  message: string
  type: string
  param: string | null
  code: string | null
}

/** An error that is the whole answer, or ends a stream. */
export interface ErrorAnswer extends AnswerError {
  status: number
}

// --- Writing

/** An answer of one text, and what its stream has besides. A format leaves out what it has no words for. */
export interface TextAnswer {
  /** Unique to the answer. A format puts its own prefix before it. */
  id: string
  /** Unix seconds. */
  created: number
  model: string
  finishReason: FinishReason
  usage: TokenUsage
  /** The request's own limit of output tokens. */
  limit: number | null
  /** The stream tells its usage. Some formats do so only where the request asks for it. */
  includeUsage: boolean
  /** Each event is padded, so that its size does not give the token's length away. */
  obfuscation: boolean
  /** The stream begins with an event about the prompt, as Azure's does. */
  promptFilterEvent: boolean
}

/**
 * A JSON answer. `members` are further members (a stamp), each with a comma before it; `textEnd` is appended to the
 * text.
 */
export type WholeWriter = (members: string, textEnd: string) => string

/** The events of one stream, as strings: all but texts and `members` is prepared. */
export interface StreamWriter {
  /** What leaves with the first event and bears no token; '' where the format has none. */
  open: (members: string) => string
  /** `text` is JSON already: the inside of a string. `tokens` were streamed once this event has left. */
  event: (text: string, tokens: number, members: string) => string
  /** The finish reason, the usage and the end mark: what leaves in one write. */
  close: (members: string) => string
  /** The event that ends a stream in which something went wrong. */
  fail: (error: ErrorAnswer, members: string) => string
}

export interface AnswerWriter {
  /** `text` is JSON already: the inside of a string. */
  whole(answer: TextAnswer, text: string): WholeWriter
  stream(answer: TextAnswer): StreamWriter
}

// --- Reading

export interface AnswerHead {
  id: string
  model: string
  /** Where the simulated provider leaves its stamp. */
  fingerprint: string | undefined
}

export interface ToolCall {
  id: string
  name: string
  /** As JSON. */
  arguments: string
  /** The provider's mark of the reasoning that led here, which it wants back with the call. */
  signature?: string | undefined
}

/** A piece of reasoning that the provider has signed, and wants back as it was. */
export interface SignedReasoning {
  text: string
  /** Without a text: the reasoning itself, encrypted. */
  signature: string
}

export interface AnswerChoice {
  text: string
  reasoning: string
  signed: readonly SignedReasoning[]
  toolCalls: readonly ToolCall[]
  finishReason: FinishReason
}

export interface WholeAnswer {
  head: AnswerHead
  choices: readonly AnswerChoice[]
  usage: TokenUsage
}

/** What one event adds to its answer. Tool calls are counted from 0 in each choice. */
export type AnswerDelta =
  | { kind: 'head'; head: AnswerHead }
  | { kind: 'begin'; choice: number }
  | { kind: 'text' | 'reasoning'; choice: number; text: string }
  | { kind: 'signed'; choice: number; signed: SignedReasoning }
  | { kind: 'call'; choice: number; call: number; toolCall: ToolCall }
  | { kind: 'arguments'; choice: number; call: number; text: string }
  | { kind: 'finish'; choice: number; reason: FinishReason }
  | { kind: 'usage'; usage: TokenUsage }
  | { kind: 'error'; error: AnswerError }
  | { kind: 'end' }

/** Reads one answer, whole or event by event. Throws an UnreadableAnswer where a member has another type. */
export interface AnswerReader {
  readEvent(event: JsonObject): AnswerDelta[]
  /** False: a stream that stops now broke off in the middle. */
  readonly isComplete: boolean
  readWhole(answer: JsonObject): WholeAnswer | { error: AnswerError }
}
