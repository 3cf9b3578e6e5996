/**
 * The text that an answer holds, to be counted in tokens after a run: visible text, reasoning text and tool-call arguments of
 * whole answers and streams, in the shapes that stream-event.ts tells apart. Not for the hot path.
 */
import { SseReader } from './sse.ts'
import { parseObject } from './stream-event.ts'

type Json = Record<string, unknown>

/** The text of a body as it came (decoded). A stream that is cut off gives what its whole events hold. */
export function extractAnswerText(body: string, streamed: boolean): string {
  if (!streamed) return textOf(parseObject(body) ?? {})
  let text = ''
  const reader = new SseReader((data) => {
    text += textOf(parseObject(data) ?? {})
  })
  reader.push(Buffer.from(body))
  return text
}

/** Strings under these keys are text of the model, wherever an answer nests them. */
const TEXT_KEYS = ['content', 'text', 'refusal', 'arguments', 'thinking', 'partial_json'] as const
const NESTED_KEYS = [
  'choices',
  'delta',
  'message',
  'tool_calls',
  'function',
  'function_call',
  'candidates',
  'parts',
] as const
/** Events of the Responses and Messages protocols that repeat what the deltas have said. */
const REPEATS =
  /^(?:response\.(?:.*\.done|completed|incomplete|created|in_progress|.*\.added)|content_block_stop|message_stop)$/

function textOf(json: Json): string {
  if (typeof json.type === 'string' && REPEATS.test(json.type)) return ''
  let text = reasoningOf(json)
  for (const key of TEXT_KEYS) text += textIn(json[key])
  for (const key of NESTED_KEYS) text += textIn(json[key])
  text += textIn(json.output) + (json.functionCall === undefined ? '' : JSON.stringify(json.functionCall))
  return text
}

function textIn(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'object' ? textIn(item) : '')).join('')
  return typeof value === 'object' && value !== null ? textOf(value as Json) : ''
}

/** One and the same reasoning under either name. */
function reasoningOf({ reasoning_content: content, reasoning }: Json): string {
  if (typeof content === 'string') return content
  return typeof reasoning === 'string' ? reasoning : ''
}

/** The text that a request asks with: messages, a prompt, an input. Token ids have none. */
export function extractRequestText(body: string): string {
  const json = parseObject(body) ?? {}
  const contents = Array.isArray(json.messages) ? json.messages : []
  return [...contents, ...[json.prompt, json.input].flat()]
    .map((item) => (typeof item === 'string' ? item : textIn(item)))
    .join('\n')
}
