/**
 * Extracts the text of an answer, to count its tokens after a run: visible text, reasoning text and tool-call arguments
 * of whole answers and streams, in the shapes that stream-event.ts knows. And the text of a request. Not for the hot
 * path.
 */
import { SseReader } from './sse.ts'
import { parseObject } from './stream-event.ts'

type Json = Record<string, unknown>

/** The text of a decoded body. A stream that was cut off gives the text of its complete events. */
export function extractAnswerText(body: string, streamed: boolean): string {
  if (!streamed) return textOf(parseObject(body) ?? {})
  let text = ''
  const reader = new SseReader((data) => {
    text += textOf(parseObject(data) ?? {})
  })
  reader.push(Buffer.from(body))
  return text
}

/** Strings under these keys are text of the model, at any depth of an answer. */
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
/** Events of the Responses and Messages protocols that repeat the text of the deltas. */
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

/** Some servers send the same reasoning under both names. */
function reasoningOf({ reasoning_content: content, reasoning }: Json): string {
  if (typeof content === 'string') return content
  return typeof reasoning === 'string' ? reasoning : ''
}

/** The text of a request: messages, a prompt, an input. Token ids have no text. */
export function extractRequestText(body: string): string {
  const json = parseObject(body) ?? {}
  const contents = Array.isArray(json.messages) ? json.messages : []
  return [...contents, ...[json.prompt, json.input].flat()]
    .map((item) => (typeof item === 'string' ? item : textIn(item)))
    .join('\n')
}
