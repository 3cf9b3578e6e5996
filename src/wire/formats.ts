/** The table of wire formats, and what is read of an event or an answer whose format is told by its shape. */

import type { AnswerContent } from './answer-content.ts'
import { errorMessage, errorText, listedErrorText } from './answer-error.ts'
import { anthropic } from './anthropic.ts'
import type { OtherVisitor, TextKind, TextVisitor, WireFormat } from './format.ts'
import { gemini } from './gemini.ts'
import { asNumber, type JsonObject, objectsIn, parseObject } from './json.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import { openaiResponses } from './openai-responses.ts'
import { visitUnknown } from './other-output.ts'
import { rerank } from './rerank.ts'
import { ERROR_EVENT, isEndMark } from './sse.ts'
import { type TokenUsage, usageIn } from './usage.ts'

/** In the order in which their shapes are tried. */
const FORMATS = {
  'openai-chat': openaiChat,
  'openai-completions': openaiCompletions,
  'openai-responses': openaiResponses,
  anthropic,
  gemini,
  'openai-embeddings': openaiEmbeddings,
  rerank,
} satisfies Record<string, WireFormat>

export type FormatName = keyof typeof FORMATS

const ALL: readonly WireFormat[] = Object.values(FORMATS)

/** The members of requests that hold text, in any format. */
export const REQUEST_MEMBERS = union(ALL.flatMap(({ requestMembers }) => requestMembers))

function union(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}

export interface StreamEvent {
  /** Characters of visible text, reasoning text and tool-call arguments in this event. */
  visibleChars: number
  reasoningChars: number
  toolChars: number
  /** Of an event without text: output such as the name of a called tool, a token without characters. */
  shown?: true
  /** Of an event without text: output that was not seen when it was made, such as encrypted reasoning; no token. */
  hidden?: true
  /** Of an event without any output: members that kt does not know, which may be output. */
  unknown?: string[]
  usage?: TokenUsage
  /** `system_fingerprint`, where the simulated provider leaves its stamp. */
  fingerprint?: string
  error?: string
  /** The protocol's own end: [DONE], message_stop, response.completed, a Gemini finishReason. */
  ended: boolean
  /** A choice says why it ended: the model is done, whatever mark may follow. */
  finished: boolean
}

/**
 * What one event of a provider's stream says: whether it bears tokens (visible text, reasoning text or tool-call
 * arguments; a role-only or empty delta bears none), the usage, the stamp, an error, the end. Undefined when it is
 * neither an end mark nor a JSON object, nor named an error. Counting tokens is not done here: an event may hold one
 * token or twenty.
 */
export function readStreamEvent(data: string, name = ''): StreamEvent | undefined {
  const event: StreamEvent = { visibleChars: 0, reasoningChars: 0, toolChars: 0, ended: false, finished: false }
  if (name === ERROR_EVENT) return { ...event, error: namedErrorText(data) }
  if (isEndMark(data)) return { ...event, ended: true }
  const json = parseObject(data)
  if (!json) {
    const error = listedErrorText(data)
    return error === undefined ? undefined : { ...event, error }
  }
  if (typeof json.system_fingerprint === 'string') event.fingerprint = json.system_fingerprint
  const error = errorText(json)
  if (error === undefined) readInto(event, json)
  else event.error = error
  return event
}

const COUNTED_AS = {
  visible: 'visibleChars',
  reasoning: 'reasoningChars',
  tool: 'toolChars',
} as const satisfies Record<TextKind, keyof StreamEvent>

function readInto(event: StreamEvent, json: JsonObject): void {
  const format = formatOfEvent(json)
  const usage = format ? format.usageOf(json) : usageIn(json)
  if (usage) event.usage = usage
  if (!format) {
    const names: string[] = []
    visitUnknown(json, AROUND_OUTPUT, '', (_is, name) => names.push(name))
    if (names.length > 0) event.unknown = names
    return
  }
  const error = format.errorOf?.(json)
  if (error !== undefined) event.error = error
  if (format.endsStream(json)) event.ended = true
  if (format.finishes(json)) event.finished = true
  format.eachEventText(json, (kind, text) => {
    event[COUNTED_AS[kind]] += text.length
  })
  // Beside a text nothing else counts.
  if (bearsTokens(event)) return
  const unknown: string[] = []
  format.eachOtherOfEvent(json, (is, name) => {
    if (is === 'unknown') unknown.push(name)
    else event[is] = true
  })
  if (unknown.length > 0 && !event.shown && !event.hidden) event.unknown = unknown
}

/** Members around the output of an event, whatever its format. */
const AROUND_OUTPUT = new Set(['usage', 'usageMetadata', 'system_fingerprint', 'created', 'obfuscation', 'error'])

/** Whether the model's output came with an event. */
export function bearsTokens({ visibleChars, reasoningChars, toolChars, shown }: StreamEvent): boolean {
  return visibleChars + reasoningChars + toolChars > 0 || shown === true
}

/** What an event says that is an error by its name: in JSON of any shape, in plain text, or nothing. */
export function namedErrorText(data: string): string {
  const json = parseObject(data)
  return (json && (errorText(json) ?? errorMessage(json))) || data.trim() || 'an error event that says nothing'
}

/** The texts of an event, in whatever format it is. */
export function eachEventText(event: JsonObject, visit: TextVisitor): void {
  formatOfEvent(event)?.eachEventText(event, visit)
}

/** The texts of a whole answer, in whatever format it is. */
export function eachAnswerText(answer: JsonObject, visit: TextVisitor): void {
  formatOfAnswer(answer)?.eachAnswerText(answer, visit)
}

/** What a whole answer of a format holds. */
export function contentOfAnswer(answer: JsonObject, format: WireFormat): AnswerContent {
  let shown = false
  let hidden = false
  const unknown = new Set<string>()
  format.eachAnswerText(answer, () => {
    shown = true
  })
  const visit: OtherVisitor = (is, name) => {
    if (is === 'shown') shown = true
    else if (is === 'hidden') hidden = true
    else unknown.add(name)
  }
  format.eachOtherOfAnswer(answer, visit)
  return { shown, hidden, unknown: shown || hidden ? [] : [...unknown] }
}

/** The format of an event; undefined where it is one of none. */
export function formatOfEvent(json: JsonObject): WireFormat | undefined {
  return ALL.find((one) => one.isEvent(json))
}

/** The format of a whole answer; undefined where it is an answer of none. */
export function formatOfAnswer(json: JsonObject): WireFormat | undefined {
  return ALL.find((one) => one.isAnswer(json))
}

/** The members of answers that hold output, in any format. */
const MEMBERS = union(ALL.flatMap(({ answerMembers }) => answerMembers))

/**
 * An event or an answer once for each of its choices, alone in it, with the number of the choice. What has none, or
 * does not number them, is choice 0.
 */
export function eachChoice(json: JsonObject, visit: (choice: number, json: JsonObject) => void): void {
  const member = MEMBERS.find((name) => objectsIn(json[name]).some(({ index }) => typeof index === 'number'))
  if (member === undefined) visit(0, json)
  else for (const choice of objectsIn(json[member])) visit(asNumber(choice.index), { ...json, [member]: [choice] })
}
