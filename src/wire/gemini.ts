/** Gemini's generateContent and streamGenerateContent: candidates of parts; an event has the shape of an answer. */
import type {
  AnswerChoice,
  AnswerDelta,
  AnswerError,
  AnswerHead,
  AnswerReader,
  AnswerWriter,
  ErrorAnswer,
  FinishReason,
  SignedReasoning,
  TextAnswer,
  ToolCall,
  WholeAnswer,
} from './answer.ts'
import { errorText, readAnswerError } from './answer-error.ts'
import { turnsOf, UnsupportedByOthers } from './chat-turns.ts'
import type { OtherVisitor, TextVisitor, WireFormat } from './format.ts'
import { asNumber, asObject, asText, type JsonObject, objectsIn } from './json.ts'
import { holdsText, visitUnknown } from './other-output.ts'
import { expectObject, expectObjects, expectReason, expectText } from './strict.ts'
import { visitArguments, visitString } from './text.ts'
import { geminiContents, namesImages } from './turn-writers.ts'
import { NO_USAGE, usageIn } from './usage.ts'

export const gemini: WireFormat = {
  path: '/models',
  requestMembers: ['contents', 'systemInstruction', 'system_instruction'],
  answerMembers: ['candidates'],
  isEvent: ({ candidates, usageMetadata }) => Array.isArray(candidates) || usageMetadata !== undefined,
  isAnswer: ({ candidates }) => Array.isArray(candidates),
  eachEventText: visitCandidates,
  eachAnswerText: visitCandidates,
  eachOtherOfEvent: visitOther,
  eachOtherOfAnswer: visitOther,
  usageOf: usageIn,
  endsStream: isFinished,
  finishes: isFinished,
  buildRequest: (_spec, text, prefix) => generateRequest([{ role: 'user', parts: [{ text }] }], prefix),
  buildConversation: (_spec, messages) => {
    const { system, turns } = turnsOf(messages)
    if (namesImages(turns)) throw new UnsupportedByOthers('an image that is not a data: URL')
    return generateRequest(geminiContents(turns), system)
  },
}

/** The members that every request has; the system's text stands apart from the contents. */
export function generateRequest(contents: readonly object[], system: string | undefined): JsonObject {
  return { ...(system && { systemInstruction: { parts: [{ text: system }] } }), contents }
}

const ACTIONS = { whole: 'generateContent', stream: 'streamGenerateContent' } as const
const PATH = new RegExp(`^${gemini.path}/([^/:]+):(${ACTIONS.whole}|${ACTIONS.stream})$`)
/** Without it, Gemini streams a JSON array. */
export const STREAM_QUERY = ['alt', 'sse'] as const

/** The address of a request, which names the model and whether to stream. */
export function generatePath(model: string, stream: boolean): string {
  const path = `${gemini.path}/${encodeURIComponent(model)}:`
  return stream ? `${path}${ACTIONS.stream}?${STREAM_QUERY.join('=')}` : path + ACTIONS.whole
}

/** The same in reverse; undefined for any other path. The model is as it stands in the path. */
export function readGeneratePath(path: string): { model: string; stream: boolean } | undefined {
  const [, model, action] = PATH.exec(path) ?? []
  return model === undefined ? undefined : { model, stream: action === ACTIONS.stream }
}

function visitCandidates({ candidates }: JsonObject, visit: TextVisitor): void {
  for (const candidate of objectsIn(candidates)) {
    for (const part of objectsIn(asObject(candidate.content)?.parts)) {
      visitString(part.thought === true ? 'reasoning' : 'visible', part, 'text', visit)
      visitArguments(part, 'functionCall', visit)
      const code = asObject(part.executableCode)
      visitString('tool', code, 'code', visit)
    }
  }
}

function isFinished({ candidates }: JsonObject): boolean {
  return objectsIn(candidates).some(({ finishReason }) => typeof finishReason === 'string')
}

const SHOWN = ['inlineData', 'fileData', 'functionCall', 'executableCode', 'codeExecutionResult']
const KNOWN = new Set(['text', 'thoughtSignature', ...SHOWN])

function visitOther({ candidates }: JsonObject, visit: OtherVisitor): void {
  for (const candidate of objectsIn(candidates)) {
    for (const part of objectsIn(asObject(candidate.content)?.parts)) {
      for (const key of SHOWN) if (asObject(part[key])) visit('shown', `parts.${key}`)
      if (holdsText(part.thoughtSignature)) visit('hidden', 'parts.thoughtSignature')
      visitUnknown(part, KNOWN, 'parts.', visit)
    }
  }
}

// --- Reading, for a translation

/** Any other is a `stop`, or `tool_calls` where there are some. */
const FINISH_REASONS = new Map<string, FinishReason>([
  ['MAX_TOKENS', 'length'],
  ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'IMAGE_SAFETY'].map(
    (reason) => [reason, 'content_filter'] as const,
  ),
])
/** Stands for the candidate of a prompt that was blocked, which has none. */
const BLOCKED: JsonObject = { finishReason: 'SAFETY' }

/** A stream has no end mark: it is complete when every candidate gave its finish reason. */
export class GeminiReader implements AnswerReader {
  #head: AnswerHead
  /** The tool calls so far of each candidate that has begun. */
  readonly #calls = new Map<number, number>()
  #finished = 0

  /** `model` is what was asked for, in case that the answer names none. */
  constructor(model: string) {
    this.#head = { id: '', model, fingerprint: undefined }
  }

  get isComplete(): boolean {
    return this.#finished > 0 && this.#finished === this.#calls.size
  }

  readEvent(event: JsonObject): AnswerDelta[] {
    if (errorText(event) !== undefined) return [{ kind: 'error', error: readAnswerError(event) }]
    const deltas: AnswerDelta[] = [{ kind: 'head', head: this.#readHead(event) }]
    const usage = usageIn(event)
    if (usage) deltas.push({ kind: 'usage', usage })
    for (const candidate of readCandidates(event)) this.#readCandidate(candidate, deltas)
    return deltas
  }

  #readCandidate(candidate: JsonObject, deltas: AnswerDelta[]): void {
    const choice = asNumber(candidate.index)
    const before = this.#calls.get(choice)
    if (before === undefined) deltas.push({ kind: 'begin', choice })
    let call = before ?? 0
    const { text, reasoning, signed, toolCalls } = readContent(candidate, call)
    if (reasoning !== '') deltas.push({ kind: 'reasoning', choice, text: reasoning })
    if (text !== '') deltas.push({ kind: 'text', choice, text })
    for (const one of signed) deltas.push({ kind: 'signed', choice, signed: one })
    for (const toolCall of toolCalls) deltas.push({ kind: 'call', choice, call: call++, toolCall })
    this.#calls.set(choice, call)
    const reason = asText(candidate.finishReason)
    if (reason === undefined) return
    this.#finished++
    deltas.push({ kind: 'finish', choice, reason: toFinishReason(reason, call > 0) })
  }

  readWhole(answer: JsonObject): WholeAnswer | { error: AnswerError } {
    if (errorText(answer) !== undefined) return { error: readAnswerError(answer) }
    const choices = readCandidates(answer).map((candidate): AnswerChoice => {
      const content = readContent(candidate, 0)
      const reason = expectReason(candidate.finishReason, 'finishReason')
      const finishReason = toFinishReason(reason, content.toolCalls.length > 0)
      return { ...content, finishReason }
    })
    return { head: this.#readHead(answer), choices, usage: usageIn(answer) ?? NO_USAGE }
  }

  /** The id and the model stay where an event names none. */
  #readHead(answer: JsonObject): AnswerHead {
    this.#head = {
      id: asText(answer.responseId) ?? this.#head.id,
      model: asText(answer.modelVersion) ?? this.#head.model,
      fingerprint: asText(answer.system_fingerprint),
    }
    return this.#head
  }
}

function readCandidates(answer: JsonObject): readonly JsonObject[] {
  const candidates = expectObjects(answer.candidates, 'candidates')
  const isBlocked = candidates.length === 0 && asObject(answer.promptFeedback)?.blockReason !== undefined
  return isBlocked ? [BLOCKED] : candidates
}

/** `calls` is the number of earlier tool calls, from which a call without an id gets one. */
function readContent(candidate: JsonObject, calls: number): Omit<AnswerChoice, 'finishReason'> {
  let text = ''
  let reasoning = ''
  const toolCalls: ToolCall[] = []
  const signed: SignedReasoning[] = []
  for (const part of expectObjects(expectObject(candidate.content, 'content').parts, 'parts')) {
    const said = expectText(part.text, 'text')
    if (part.thought === true) reasoning += said
    else text += said
    const signature = asText(part.thoughtSignature)
    if (part.functionCall === undefined) {
      if (signature !== undefined) signed.push({ text: part.thought === true ? said : '', signature })
      continue
    }
    const { id, name, args } = expectObject(part.functionCall, 'functionCall')
    toolCalls.push({
      id: asText(id) ?? `call_${asNumber(candidate.index)}_${calls + toolCalls.length}`,
      name: expectText(name, 'name'),
      arguments: JSON.stringify(expectObject(args, 'args')),
      ...(signature !== undefined && { signature }),
    })
  }
  return { text, reasoning, signed, toolCalls }
}

function toFinishReason(reason: string, callsTools: boolean): FinishReason {
  return FINISH_REASONS.get(reason) ?? (callsTools ? 'tool_calls' : 'stop')
}

// --- Writing

const REASONS: Record<FinishReason, string> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  tool_calls: 'STOP',
  content_filter: 'SAFETY',
}
const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}
const BEFORE = '"candidates":[{"content":{"parts":[{"text":"'
const AFTER = '"}],"role":"model"}'

/** Events have CRLF line ends, each has the usage so far, and there is no end mark but the finish reason. */
export const geminiWriter: AnswerWriter = {
  whole: (answer, text) => {
    const { output, reasoning } = answer.usage
    const head = `{${BEFORE}${text}`
    const tail = `${AFTER},${writeReason(answer)},"index":0}]${metadataWriter(answer)(output - reasoning)}`
    return (members, textEnd) => `${head}${textEnd}${tail}${members}}`
  },
  stream: (answer) => {
    const { output, reasoning } = answer.usage
    const metadata = metadataWriter(answer)
    const close = `data: {${BEFORE}${AFTER},${writeReason(answer)},"index":0}]${metadata(output - reasoning)}`
    return {
      open: () => '',
      event: (text, tokens, members) =>
        `data: {${BEFORE}${text}${AFTER},"index":0}]${metadata(tokens)}${members}}\r\n\r\n`,
      close: (members) => `${close}${members}}\r\n\r\n`,
      fail: (error) => `data: ${writeGeminiError(error)}\r\n\r\n`,
    }
  },
}

export function writeGeminiError({ status, message }: ErrorAnswer): string {
  return JSON.stringify({ error: { code: status, message, status: STATUSES[status] ?? 'INVALID_ARGUMENT' } })
}

function writeReason({ finishReason }: TextAnswer): string {
  return `"finishReason":"${REASONS[finishReason]}"`
}

/** The usage once `tokens` were written, and what comes after it. */
function metadataWriter({ id, model, usage }: TextAnswer): (tokens: number) => string {
  const { input, reasoning, cached } = usage
  const details = `"promptTokensDetails":[{"modality":"TEXT","tokenCount":${input}}]`
  const fromCache = cached > 0 ? `,"cachedContentTokenCount":${cached}` : ''
  const thoughts = reasoning > 0 ? `,"thoughtsTokenCount":${reasoning}` : ''
  const tail = `,${details}${fromCache}${thoughts}},"modelVersion":${JSON.stringify(model)},"responseId":"${id}"`
  const before = input + reasoning
  return (tokens) =>
    `,"usageMetadata":{"promptTokenCount":${input},"candidatesTokenCount":${tokens},` +
    `"totalTokenCount":${before + tokens}${tail}`
}
