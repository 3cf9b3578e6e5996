/**
 * The message of the model in an answer of OpenAI's chat, whole or streamed: its text and its tool calls, as they stand
 * in the history of the next request. Reasoning is no part of it, since no API wants it back. Not for the hot path.
 */
import { eachAnswerObject } from './answer-text.ts'
import { asNumber, asObject, asText, type JsonObject, objectsIn } from './json.ts'

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
