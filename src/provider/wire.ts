/**
 * OpenAI's wire formats of text answers: chat completions and legacy completions, whole (JSON) and streamed (SSE). Strings
 * only: when they are written is src/provider/exchange.ts's business. All of a string is built before its instant comes,
 * except the stamp, so that the stamp is taken as close to the write as can be.
 */
import type { TextAsk } from './ask.ts'
import { distinctTokens, textOf, tokenKind } from './words.ts'

/** `stamp` is the `system_fingerprint` member with a comma before it, or '' for a request without a nonce. */
export type Whole = (stamp: string) => string

export interface Streamed {
  /** The chunk that only names the role; '' where the format has none. */
  open: (stamp: string) => string
  token: (index: number, stamp: string) => string
  /** The finish reason, usage where asked for, and the end mark: what leaves in one write. */
  close: (stamp: string) => string
}

/** `id` is unique to the answer; `created` is in Unix seconds. */
export function wholeText(ask: TextAsk, id: string, created: number): Whole {
  const text = textOf(ask.tokens)
  const message = `"message":{"role":"assistant","content":"${text}","refusal":null,"annotations":[]}`
  const choice = `${ask.endpoint === 'chat' ? message : `"text":"${text}"`},"logprobs":null,"finish_reason":"${ask.finishReason}"`
  const head = `${headOf(ask, id, created, false)},"choices":[{"index":0,${choice}}],"usage":${usageOf(ask)}`
  return (stamp) => `${head}${stamp}}`
}

export function streamedText(ask: TextAsk, id: string, created: number): Streamed {
  const head = `data: ${headOf(ask, id, created, true)}`
  const chat = ask.endpoint === 'chat'
  const tails = TAILS[ask.endpoint][ask.includeUsage ? 'withUsage' : 'bare']
  const finish = tailOf(chat ? '"delta":{}' : '"text":""', ask.finishReason, ask.includeUsage)
  const usage = ask.includeUsage ? `,"choices":[],"usage":${usageOf(ask)}}\n\n` : undefined
  return {
    open: (stamp) => (chat ? head + stamp + tails.open : ''),
    token: (index, stamp) => head + stamp + tails.tokens[tokenKind(index)],
    close: (stamp) => `${head}${stamp}${finish}${usage ? head + stamp + usage : ''}data: [DONE]\n\n`,
  }
}

function headOf(ask: TextAsk, id: string, created: number, chunk: boolean): string {
  const [prefix, object] =
    ask.endpoint === 'chat' ? ['chatcmpl', `chat.completion${chunk ? '.chunk' : ''}`] : ['cmpl', 'text_completion']
  return `{"id":"${prefix}-${id}","object":"${object}","created":${created},"model":${JSON.stringify(ask.model)}`
}

function usageOf({ promptTokens, tokens }: TextAsk): string {
  const details = '"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}'
  return `{"prompt_tokens":${promptTokens},"completion_tokens":${tokens},"total_tokens":${promptTokens + tokens},${details}}`
}

/** The end of a chunk, from its choices on. With usage asked for, every chunk but the last has `"usage":null`. */
function tailOf(choice: string, finishReason: string | null, withUsage: boolean): string {
  const reason = finishReason === null ? 'null' : `"${finishReason}"`
  return `,"choices":[{"index":0,${choice},"logprobs":null,"finish_reason":${reason}}]${withUsage ? ',"usage":null' : ''}}\n\n`
}

function tailsOf(choiceOf: (text: string) => string) {
  const build = (withUsage: boolean) => ({
    open: tailOf('"delta":{"role":"assistant","content":"","refusal":null}', null, withUsage),
    tokens: distinctTokens.map((text) => tailOf(choiceOf(text), null, withUsage)),
  })
  return { bare: build(false), withUsage: build(true) }
}

const TAILS = {
  chat: tailsOf((text) => `"delta":{"content":"${text}"}`),
  completions: tailsOf((text) => `"text":"${text}"`),
}
