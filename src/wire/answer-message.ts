/**
 * The message of the model in an answer of OpenAI's chat, whole or streamed: its text and its tool calls, as they stand
 * in the history of the next request. Reasoning is no part of it, since no API wants it back. Not for the hot path.
 */
import { eachAnswerObject } from './answer-text.ts'
import { asNumber, asObject, asText, type JsonObject, objectsIn, unescapeJson } from './json.ts'

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
  eachAnswerObject(body, streamed, ({ choices }) => {
    const choice = objectsIn(choices).find(({ index = 0 }) => index === 0)
    const part = asObject(streamed ? choice?.delta : choice?.message)
    if (!part) return
    message.text += textOf(part.content)
    for (const [place, call] of objectsIn(part.tool_calls).entries()) addCall(message.calls, call, place)
  })
  message.calls = message.calls.filter((call) => call !== undefined)
  return message
}

const DELTA = '"delta":{'
const CONTENT = '"content":"'
const ROLE = '"role":"assistant",'
/** Anything in these needs the whole events. */
const UNUSUAL = ['"tool_calls":', '"index":1', '"content":[', '"content": ']

/**
 * The text of a stream whose events are of the common shape, found without parsing each: a long answer would else hold
 * up the sending of others. Undefined where anything about it is unusual. Within a JSON text quotes are escaped, so what
 * is searched for is never a part of what the model said.
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
