/**
 * The message of the model in an answer, whole or streamed: its text and its tool calls, as they stand in the history
 * of the next request. Reasoning is no part of it, since no API insists on it. Not for the hot path.
 */
import type { AnswerReader } from './answer.ts'
import { eachAnswerObject } from './answer-text.ts'
import { AnthropicReader, anthropic } from './anthropic.ts'
import type { TextVisitor, WireFormat } from './format.ts'
import { formatOfAnswer, formatOfEvent } from './formats.ts'
import { GeminiReader, gemini } from './gemini.ts'
import { asNumber, asObject, asText, type JsonObject, objectsIn, unescapeJson } from './json.ts'
import { openaiResponses } from './openai-responses.ts'

export interface CalledTool {
  id: string
  name: string
  arguments: string
}

export interface AnswerMessage {
  text: string
  calls: CalledTool[]
}

/** Of a decoded body; of its first choice, where it has several. */
export function readAnswerMessage(body: string, streamed: boolean): AnswerMessage {
  const plain = streamed ? plainText(body) : undefined
  if (plain !== undefined) return { text: plain, calls: [] }
  const message: AnswerMessage = { text: '', calls: [] }
  const readers = new Map<WireFormat, AnswerReader>([
    [anthropic, new AnthropicReader()],
    [gemini, new GeminiReader('')],
  ])
  eachAnswerObject(body, streamed, (json) => {
    const format = streamed ? formatOfEvent(json) : formatOfAnswer(json)
    const reader = format && readers.get(format)
    if (reader) addRead(message, reader, json, streamed)
    else if (format === openaiResponses) addResponse(message, json, streamed)
    else addChoice(message, json, streamed)
  })
  message.calls = message.calls.filter((call) => call !== undefined)
  return message
}

function addChoice(message: AnswerMessage, { choices }: JsonObject, streamed: boolean): void {
  const choice = objectsIn(choices).find(({ index = 0 }) => index === 0)
  const part = asObject(streamed ? choice?.delta : choice?.message)
  if (!part) return
  message.text += textOf(part.content)
  for (const [place, call] of objectsIn(part.tool_calls).entries()) addCall(message.calls, call, place)
}

/** Of a format that others are translated to. */
function addRead(message: AnswerMessage, reader: AnswerReader, json: JsonObject, streamed: boolean): void {
  if (!streamed) {
    const whole = reader.readWhole(json)
    const [choice] = 'choices' in whole ? whole.choices : []
    message.text += choice?.text ?? ''
    message.calls.push(...(choice?.toolCalls ?? []))
    return
  }
  for (const delta of reader.readEvent(json)) {
    if (!('choice' in delta) || delta.choice !== 0) continue
    if (delta.kind === 'text') message.text += delta.text
    else if (delta.kind === 'call') message.calls[delta.call] = { ...delta.toolCall }
    else if (delta.kind === 'arguments') {
      const call = message.calls[delta.call]
      if (call) call.arguments += delta.text
    }
  }
}

/** A call of a tool is whole in the event that ends its item. */
function addResponse(message: AnswerMessage, json: JsonObject, streamed: boolean): void {
  const visit: TextVisitor = (kind, text) => {
    if (kind === 'visible') message.text += text
  }
  if (streamed) openaiResponses.eachEventText(json, visit)
  else openaiResponses.eachAnswerText(json, visit)
  const ended = json.type === 'response.output_item.done' ? [json.item] : json.output
  for (const { type, call_id, name, arguments: given } of objectsIn(ended)) {
    if (type !== 'function_call') continue
    message.calls.push({ id: asText(call_id) ?? '', name: asText(name) ?? '', arguments: asText(given) ?? '' })
  }
}

const DELTA = '"delta":{'
const CONTENT = '"content":"'
const ROLE = '"role":"assistant",'
/** Anything in these needs the whole events. */
const UNUSUAL = ['"tool_calls":', '"index":1', '"content":[', '"content": ']

/**
 * The text of a stream whose events are of the common shape, found without parsing each: a long answer would else hold
 * up the sending of others. Undefined where anything about it is unusual. Within a JSON text quotes are escaped, so
 * what is searched for is never a part of what the model said.
 */
function plainText(body: string): string | undefined {
  if (UNUSUAL.some((part) => body.includes(part))) return undefined
  let written = ''
  let found = false
  for (let at = body.indexOf(CONTENT); at !== -1; at = body.indexOf(CONTENT, at)) {
    const held = body.startsWith(ROLE, at - ROLE.length) ? at - ROLE.length : at
    if (!body.startsWith(DELTA, held - DELTA.length)) return undefined
    const start = at + CONTENT.length
    let end = body.indexOf('"', start)
    while (end !== -1 && isEscaped(body, end)) end = body.indexOf('"', end + 1)
    if (end === -1) return undefined
    written += body.slice(start, end)
    found = true
    at = end
  }
  return found ? unescapeJson(written) : undefined
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(body: string, at: number): boolean {
  let first = at
  while (body[first - 1] === '\\') first--
  return (at - first) % 2 === 1
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return objectsIn(content)
    .map(({ text }) => asText(text) ?? '')
    .join('')
}

/** The pieces of one call have its number in common; only the first has the id and the name. */
function addCall(calls: CalledTool[], call: JsonObject, place: number): void {
  const index = typeof call.index === 'number' ? asNumber(call.index) : place
  const given = asObject(call.function) ?? {}
  const known = calls[index] ?? { id: '', name: '', arguments: '' }
  calls[index] = {
    id: known.id || (asText(call.id) ?? ''),
    name: known.name || (asText(given.name) ?? ''),
    arguments: known.arguments + (asText(given.arguments) ?? ''),
  }
}
