/**
 * A conversation in the words of OpenAI's chat, read for APIs that have words of their own (turn-writers.ts): for the
 * gateway's translations, and for requests that kt sends. What no other API has is refused and never dropped.
 */
import type { SignedReasoning } from './answer.ts'
import type { ChatCall, ChatMessages, SignedDetail } from './chat-messages.ts'
import { parseExact } from './exact-json.ts'
import { asObject, type JsonObject } from './json.ts'

export type Part = { kind: 'text'; text: string } | { kind: 'image'; mediaType: string; base64: string } | ImageUrl
interface ImageUrl {
  kind: 'image_url'
  url: string
}

export interface ToolCallRequest {
  id: string
  name: string
  args: JsonObject
  /** Google's, from an earlier answer. */
  signature: string | undefined
}

export type Turn =
  | { role: 'user'; parts: readonly Part[] }
  | { role: 'assistant'; parts: readonly Part[]; calls: readonly ToolCallRequest[]; signed: readonly SignedReasoning[] }
  | { role: 'tool'; callId: string; name: string; content: string }

/** Its message names what only chat has. */
export class UnsupportedByOthers extends Error {}

type Content = ChatMessages[number]['content']

/** The system's text stands apart, as in the other APIs. */
export interface ChatTurns {
  system: string
  turns: readonly Turn[]
}

/**
 * The same of messages that kt sends, which are chat's: kt wrote them, or has read them from a file. The system's text
 * is undefined where there is none.
 */
export function turnsOf(messages: readonly JsonObject[]): { system: string | undefined; turns: readonly Turn[] } {
  const { system, turns } = readTurns(messages as ChatMessages)
  return { system: system || undefined, turns }
}

export function readTurns(messages: ChatMessages): ChatTurns {
  const system: string[] = []
  const turns: Turn[] = []
  const names = new Map<string, string>()
  for (const { role, content, tool_calls, tool_call_id, reasoning_details } of messages) {
    if (role === 'system' || role === 'developer') system.push(plainText(content))
    else if (role === 'user') turns.push({ role, parts: partsOf(content) })
    else if (role === 'assistant') {
      const calls = (tool_calls ?? []).map(callOf)
      for (const { id, name } of calls) names.set(id, name)
      const signed = (reasoning_details ?? []).map(signedOf)
      turns.push({ role, parts: content == null ? [] : partsOf(content), calls, signed })
    } else if (role === 'tool') {
      const callId = tool_call_id ?? ''
      turns.push({ role, callId, name: names.get(callId) ?? callId, content: plainText(content) })
    } else throw new UnsupportedByOthers(`a message of the role ${JSON.stringify(role)}`)
  }
  return { system: system.join('\n\n'), turns }
}

function plainText(content: Content): string {
  return partsOf(content)
    .map((part) => {
      if (part.kind === 'text') return part.text
      throw new UnsupportedByOthers('an image in a message of that role')
    })
    .join('')
}

function partsOf(content: Content): Part[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  if (!content) throw new UnsupportedByOthers('content that is neither text nor a list of parts')
  return content.map(({ type, text, image_url: image }): Part => {
    if (type === 'text') return { kind: 'text', text: text ?? '' }
    if (type !== 'image_url' || !image) throw new UnsupportedByOthers(`content of the type ${type}`)
    const data = /^data:([\w.+-]+\/[\w.+-]+);base64,(.*)$/s.exec(image.url)
    return data?.[1] !== undefined && data[2] !== undefined
      ? { kind: 'image', mediaType: data[1], base64: data[2] }
      : { kind: 'image_url', url: image.url }
  })
}

function signedOf({ text, signature, data }: SignedDetail): SignedReasoning {
  const mark = signature ?? data
  if (!mark) throw new UnsupportedByOthers('reasoning without the signature that it came with')
  return { text: text ?? '', signature: mark }
}

function callOf({ id, function: called, extra_content: extra }: ChatCall): ToolCallRequest {
  const args = argumentsIn(called?.arguments || '{}')
  if (!args) throw new UnsupportedByOthers('tool arguments that are no JSON object')
  return { id: id ?? '', name: called?.name ?? '', args, signature: extra?.google.thought_signature }
}

function argumentsIn(text: string): JsonObject | undefined {
  try {
    return asObject(parseExact(text))
  } catch {
    return undefined
  }
}
