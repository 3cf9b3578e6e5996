/**
 * OpenAI's chat completions and legacy completions, whole (JSON) and streamed (SSE), and what all of OpenAI's endpoints
 * share. Strings only: src/provider/answer.ts writes them when they are due.
 */
import {
  type AnswerBody,
  type ApiFlavor,
  bearerToken,
  type ParsedRequest,
  type ReplyContext,
  type StreamEvents,
} from '../api.ts'
import type { Refusal } from '../faults.ts'
import { answerText } from '../text.ts'

/** A bearer token, and errors as `{error: {message, type, param, code}}`. */
export const openai: ApiFlavor = {
  keyPlace: 'Authorization: Bearer KEY',
  readKey: ({ authorization }) => bearerToken(authorization),
  toStatus: ({ status }) => status,
  refusalBody: errorBody,
  requestIdHeader: 'x-request-id',
}

function errorBody({ message, type, param, code }: Refusal): string {
  return JSON.stringify({ error: { message, type, param, code } })
}

export interface TextRequest extends ParsedRequest {
  endpoint: 'chat' | 'completions'
  includeUsage: boolean
  /** False where the request switched the padding off. */
  includeObfuscation: boolean
}

export function wholeText(request: TextRequest, context: ReplyContext): AnswerBody {
  const chat = request.endpoint === 'chat'
  const opening = chat ? '"message":{"role":"assistant","content":"' : '"text":"'
  const head = `${headOf(request, context, false)},"choices":[{"index":0,${opening}${answerText(request.tokens)}`
  const message = chat ? '","refusal":null,"annotations":[]}' : '"'
  const usage = usageOf(request, context)
  const tail = `${message},"logprobs":null,"finish_reason":"${request.finishReason}"}],"usage":${usage}`
  return (stamp, textEnd) => `${head}${textEnd}${tail}${stamp}}`
}

export function streamedText(request: TextRequest, context: ReplyContext): StreamEvents {
  const chat = request.endpoint === 'chat'
  const head = `data: ${headOf(request, context, true)}`
  const usageAside = request.includeUsage ? ',"usage":null' : ''
  const pads = context.shape.obfuscation && request.includeObfuscation
  const padOf = (chars: number) => (pads ? `,"obfuscation":"${paddingFor(chars)}"` : '')
  const choice = (content: string, reason: string, chars: number) =>
    `,"choices":[{"index":0,${content},"logprobs":null,"finish_reason":${reason}}]${usageAside}${padOf(chars)}}\n\n`
  const role = choice('"delta":{"role":"assistant","content":"","refusal":null}', 'null', 0)
  const finish = choice(chat ? '"delta":{}' : '"text":""', `"${request.finishReason}"`, 0)
  const usage = request.includeUsage ? `,"choices":[],"usage":${usageOf(request, context)}${padOf(0)}}\n\n` : undefined
  const filter = context.shape.promptFilterEvent ? PROMPT_FILTER : ''
  const tailOf = remembered(`${request.endpoint} ${request.includeUsage} ${pads}`, (text) =>
    choice(chat ? `"delta":{"content":"${text}"}` : `"text":"${text}"`, 'null', text.length),
  )
  return {
    open: (stamp) => (chat ? filter + head + stamp + role : ''),
    event: (text, _tokens, stamp) => head + stamp + tailOf(text),
    close: (stamp) => `${head}${stamp}${finish}${usage ? head + stamp + usage : ''}data: [DONE]\n\n`,
    fail: (refusal) => `data: ${errorBody(refusal)}\n\n`,
  }
}

const MAX_REMEMBERED = 1_000

const memory = new Map<string, Map<string, string>>()

/** `build`, remembering what it made of the texts seen first: the single tokens, as long as they are not stamped. */
function remembered(kind: string, build: (text: string) => string): (text: string) => string {
  const known = memory.get(kind) ?? new Map<string, string>()
  memory.set(kind, known)
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const built = build(text)
    if (known.size < MAX_REMEMBERED) known.set(text, built)
    return built
  }
}

function headOf(request: TextRequest, { id, created }: ReplyContext, chunk: boolean): string {
  const [prefix, object] =
    request.endpoint === 'chat' ? ['chatcmpl', `chat.completion${chunk ? '.chunk' : ''}`] : ['cmpl', 'text_completion']
  return `{"id":"${prefix}-${id}","object":"${object}","created":${created},"model":${JSON.stringify(request.model)}`
}

function usageOf({ promptTokens, tokens }: TextRequest, { reasoningTokens }: ReplyContext): string {
  const billed = tokens + reasoningTokens
  return (
    `{"prompt_tokens":${promptTokens},"completion_tokens":${billed},"total_tokens":${promptTokens + billed},` +
    '"prompt_tokens_details":{"cached_tokens":0},' +
    `"completion_tokens_details":{"reasoning_tokens":${reasoningTokens}}}`
  )
}

const LETTERS = 'hQ7xkTz2mWbLr9cVfN4sYpJd'

const SHORT = 10
const STEP = 16

/**
 * Fills a text to 10 characters, a longer one to 26, 42, ..., as the sizes in recorded streams of April 2025 models do.
 */
export function paddingFor(chars: number): string {
  const filled = chars <= SHORT ? SHORT : SHORT + STEP * Math.ceil((chars - SHORT) / STEP)
  return LETTERS.slice(0, filled - chars)
}

const SAFE = '{"filtered":false,"severity":"safe"}'

const FILTER_RESULTS =
  `{"hate":${SAFE},"jailbreak":{"filtered":false,"detected":false},` +
  `"self_harm":${SAFE},"sexual":${SAFE},"violence":${SAFE}}`

/** Azure's first event: neither id nor model, and no choice. */
const PROMPT_FILTER =
  'data: {"choices":[],"created":0,"id":"","model":"","object":"",' +
  `"prompt_filter_results":[{"prompt_index":0,"content_filter_results":${FILTER_RESULTS}}]}\n\n`
