/** The turns of a conversation in the words of Anthropic's Messages, of Gemini and of OpenAI's Responses. */
import type { SignedReasoning } from './answer.ts'
import type { Part, ToolCallRequest, Turn } from './chat-turns.ts'
import type { JsonObject } from './json.ts'

/** What the turns say, by who says it: neighbours of the same role become one. */
function joinTurns(
  turns: readonly Turn[],
  partsOf: (turn: Turn) => JsonObject[],
): { isAnswer: boolean; parts: JsonObject[] }[] {
  const joined: { isAnswer: boolean; parts: JsonObject[] }[] = []
  for (const turn of turns) {
    const isAnswer = turn.role === 'assistant'
    const parts = partsOf(turn)
    const last = joined.at(-1)
    if (last?.isAnswer === isAnswer) last.parts.push(...parts)
    else joined.push({ isAnswer, parts })
  }
  return joined
}

// --- Anthropic

/** Results of parallel tool calls must stand together. */
export function anthropicMessages(turns: readonly Turn[]): JsonObject[] {
  return joinTurns(turns, blocksOf).map(({ isAnswer, parts }) => ({
    role: isAnswer ? 'assistant' : 'user',
    content: parts,
  }))
}

function blocksOf(turn: Turn): JsonObject[] {
  switch (turn.role) {
    case 'tool':
      return [{ type: 'tool_result', tool_use_id: turn.callId, content: turn.content }]
    case 'user':
      return textBlocks(turn.parts)
    case 'assistant': {
      const calls = turn.calls.map(({ id, name, args }) => ({ type: 'tool_use', id, name, input: args }))
      return [...turn.signed.map(thinkingOf), ...textBlocks(turn.parts), ...calls]
    }
    default:
      return turn satisfies never
  }
}

/** Reasoning goes back as it came: Anthropic wants it before the calls that it led to. */
function thinkingOf({ text, signature }: SignedReasoning): JsonObject {
  return text === '' ? { type: 'redacted_thinking', data: signature } : { type: 'thinking', thinking: text, signature }
}

/** Anthropic refuses an empty text. */
function textBlocks(parts: readonly Part[]): JsonObject[] {
  return parts.filter((part) => part.kind !== 'text' || part.text !== '').map(blockOf)
}

function blockOf(part: Part): JsonObject {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image_url':
      return { type: 'image', source: { type: 'url', url: part.url } }
    case 'image':
      return { type: 'image', source: { type: 'base64', media_type: part.mediaType, data: part.base64 } }
    default:
      return part satisfies never
  }
}

// --- Gemini

export function geminiContents(turns: readonly Turn[]): JsonObject[] {
  return joinTurns(turns, partsOf).map(({ isAnswer, parts }) => ({ role: isAnswer ? 'model' : 'user', parts }))
}

/** Gemini has no images but those that are sent along. */
export function namesImages(turns: readonly Turn[]): boolean {
  return turns.some((turn) => turn.role !== 'tool' && turn.parts.some(({ kind }) => kind === 'image_url'))
}

function partsOf(turn: Turn): JsonObject[] {
  switch (turn.role) {
    case 'tool':
      return [{ functionResponse: { name: turn.name, response: { result: turn.content } } }]
    case 'user':
      return turn.parts.map(partOf)
    case 'assistant':
      return [...withSignatures(turn.parts.map(partOf), turn.signed), ...turn.calls.map(callOf)]
    default:
      return turn satisfies never
  }
}

function callOf({ name, args, signature }: ToolCallRequest): JsonObject {
  return { functionCall: { name, args }, ...(signature !== undefined && { thoughtSignature: signature }) }
}

/** A signature belongs to a thought, or to the text that came with it. */
function withSignatures(parts: readonly JsonObject[], signed: readonly SignedReasoning[]): JsonObject[] {
  const thoughts = signed.filter(({ text }) => text !== '')
  const mark = signed.find(({ text }) => text === '')
  const marked = parts.map((part, i) =>
    mark && i === parts.length - 1 ? { ...part, thoughtSignature: mark.signature } : part,
  )
  return [...thoughts.map(({ text, signature }) => ({ text, thought: true, thoughtSignature: signature })), ...marked]
}

function partOf(part: Part): JsonObject {
  switch (part.kind) {
    case 'image':
      return { inlineData: { mimeType: part.mediaType, data: part.base64 } }
    case 'image_url':
      return { text: part.url }
    case 'text':
      return { text: part.text }
    default:
      return part satisfies never
  }
}

// --- Responses

/** Reasoning is not sent back: its items have ids that only the provider who made them knows. */
export function responsesItems(turns: readonly Turn[]): JsonObject[] {
  return turns.flatMap((turn): JsonObject[] => {
    if (turn.role === 'tool') return [{ type: 'function_call_output', call_id: turn.callId, output: turn.content }]
    if (turn.role === 'user') return [{ role: 'user', content: turn.parts.map(inputOf) }]
    const said = turn.parts.map((part) => ({ type: 'output_text', text: part.kind === 'text' ? part.text : '' }))
    const calls = turn.calls.map(({ id, name, args }) => ({
      ...{ type: 'function_call', call_id: id, name },
      arguments: JSON.stringify(args),
    }))
    return [...(said.length > 0 ? [{ role: 'assistant', content: said }] : []), ...calls]
  })
}

function inputOf(part: Part): JsonObject {
  switch (part.kind) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image_url':
      return { type: 'input_image', image_url: part.url }
    case 'image':
      return { type: 'input_image', image_url: `data:${part.mediaType};base64,${part.base64}` }
    default:
      return part satisfies never
  }
}
