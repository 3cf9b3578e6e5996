/**
 * What a wire format is to kt: how an event and an answer of it are told and read, where its text stands, and how a
 * request is built. A format is one file and one line in formats.ts; nobody else knows a key of an answer. How an
 * answer is written and translated is in answer.ts.
 */
import type { JsonObject } from './json.ts'
import type { TokenUsage } from './usage.ts'

/** What a text is: what the user sees, the model's reasoning, or the arguments of a tool call. */
export type TextKind = 'visible' | 'reasoning' | 'tool'

/**
 * Told of every text of the model: its kind, the object or list that holds it, and under which key, so that it can be
 * replaced.
 */
export type TextVisitor = (kind: TextKind, text: string, holder: object, key: string | number) => void

/**
 * Told of what is no text, and under which name it stands: output that is `shown` (the name of a called tool, sound, a
 * picture, a vector), output that stays `hidden` (encrypted reasoning), and members that kt does not know, which may
 * hold anything.
 */
export type OtherVisitor = (is: 'shown' | 'hidden' | 'unknown', name: string) => void

export interface RequestSpec {
  model: string
  stream: boolean
}

export interface WireFormat {
  /** What follows the version in the address: '/chat/completions'. */
  readonly path: string
  /** The members of a request that hold text, at any depth. */
  readonly requestMembers: readonly [prompt: string, ...others: string[]]
  /** The members of a whole answer that hold text, at any depth. */
  readonly answerMembers: readonly string[]
  /** Whether an event of a stream, or a whole answer, has this format's shape. */
  isEvent(json: JsonObject): boolean
  isAnswer(json: JsonObject): boolean
  /** The texts that an event adds to its stream: what only repeats is not visited. */
  eachEventText(event: JsonObject, visit: TextVisitor): void
  eachAnswerText(answer: JsonObject, visit: TextVisitor): void
  /** What an event, and a whole answer, hold beside texts: output of other kinds, and members that kt does not know. */
  eachOtherOfEvent(event: JsonObject, visit: OtherVisitor): void
  eachOtherOfAnswer(answer: JsonObject, visit: OtherVisitor): void
  /** Usage that an event or an answer tells; undefined where it tells none. */
  usageOf(json: JsonObject): TokenUsage | undefined
  /** The format's own end of a stream, where it is not `[DONE]`. */
  endsStream(event: JsonObject): boolean
  /** Whether an event says why the answer, or a choice of it, ended: the model is done, whatever mark may follow. */
  finishes(event: JsonObject): boolean
  /** A failure that only this format tells this way; what all formats share is in answer-error.ts. */
  errorOf?(event: JsonObject): string | undefined
  /** A request whose last text is `text`, after `prefix` where requests share one. */
  buildRequest(spec: RequestSpec, text: string, prefix?: string): JsonObject
  /**
   * A request that is a conversation, given in OpenAI's words; absent where none is. Throws an UnsupportedByOthers
   * where the format has no words for it.
   */
  buildConversation?(spec: RequestSpec, messages: readonly JsonObject[]): JsonObject
}
