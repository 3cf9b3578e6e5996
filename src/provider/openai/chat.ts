/**
 * OpenAI's chat completions and legacy completions, whole (JSON) and streamed (SSE). Strings only: when they are written is
 * src/provider/stream.ts's business.
 */
import type { Ask, Setting, Streamed, Whole } from '../ask.ts'
import { textOf } from '../words.ts'
import { errorBody } from './errors.ts'

export interface TextAsk extends Ask {
  endpoint: 'chat' | 'completions'
  includeUsage: boolean
  /** False where the request switched the padding off. */
  includeObfuscation: boolean
}

export function wholeText(ask: TextAsk, setting: Setting): Whole {
  const chat = ask.endpoint === 'chat'
  const head = `${headOf(ask, setting, false)},"choices":[{"index":0,${chat ? '"message":{"role":"assistant","content":"' : '"text":"'}${textOf(ask.tokens)}`
  const message = chat ? '","refusal":null,"annotations":[]}' : '"'
  const tail = `${message},"logprobs":null,"finish_reason":"${ask.finishReason}"}],"usage":${usageOf(ask, setting)}`
  return (stamp, textEnd) => `${head}${textEnd}${tail}${stamp}}`
}

export function streamedText(ask: TextAsk, setting: Setting): Streamed {
  const chat = ask.endpoint === 'chat'
  const head = `data: ${headOf(ask, setting, true)}`
  const usageAside = ask.includeUsage ? ',"usage":null' : ''
  const pads = setting.shape.obfuscation && ask.includeObfuscation
  const padOf = (chars: number) => (pads ? `,"obfuscation":"${paddingFor(chars)}"` : '')
  const choice = (content: string, reason: string, chars: number) =>
    `,"choices":[{"index":0,${content},"logprobs":null,"finish_reason":${reason}}]${usageAside}${padOf(chars)}}\n\n`
  const role = choice('"delta":{"role":"assistant","content":"","refusal":null}', 'null', 0)
  const finish = choice(chat ? '"delta":{}' : '"text":""', `"${ask.finishReason}"`, 0)
  const usage = ask.includeUsage ? `,"choices":[],"usage":${usageOf(ask, setting)}${padOf(0)}}\n\n` : undefined
  const filter = setting.shape.promptFilterEvent ? PROMPT_FILTER : ''
  const tailOf = remembered(`${ask.endpoint} ${ask.includeUsage} ${pads}`, (text) =>
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

function headOf(ask: TextAsk, { id, created }: Setting, chunk: boolean): string {
  const [prefix, object] =
    ask.endpoint === 'chat' ? ['chatcmpl', `chat.completion${chunk ? '.chunk' : ''}`] : ['cmpl', 'text_completion']
  return `{"id":"${prefix}-${id}","object":"${object}","created":${created},"model":${JSON.stringify(ask.model)}`
}

function usageOf({ promptTokens, tokens }: TextAsk, { reasoningTokens }: Setting): string {
  const billed = tokens + reasoningTokens
  const details = `"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":${reasoningTokens}}`
  return `{"prompt_tokens":${promptTokens},"completion_tokens":${billed},"total_tokens":${promptTokens + billed},${details}}`
}

const LETTERS = 'hQ7xkTz2mWbLr9cVfN4sYpJd'
const SHORT = 10
const STEP = 16

/** Fills a text to 10 characters, a longer one to 26, 42, ..., as the sizes in recorded streams of April 2025 models do. */
export function paddingFor(chars: number): string {
  const filled = chars <= SHORT ? SHORT : SHORT + STEP * Math.ceil((chars - SHORT) / STEP)
  return LETTERS.slice(0, filled - chars)
}

const SAFE = '{"filtered":false,"severity":"safe"}'
const FILTER_RESULTS = `{"hate":${SAFE},"jailbreak":{"filtered":false,"detected":false},"self_harm":${SAFE},"sexual":${SAFE},"violence":${SAFE}}`
/** Azure's first event: neither id nor model, and no choice. */
const PROMPT_FILTER = `data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":${FILTER_RESULTS}}]}\n\n`
