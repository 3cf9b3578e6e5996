/**
 * Text in and out. Of a prompt the provider takes its length in tokens (estimated: a token per four UTF-8 bytes,
 * rounded up; token ids are counted), the nonce that ends its last text, and the seed of the request's delays: without
 * a nonce the request's own `seed`, else the prompt itself, so that a repeated request costs the same. An answer is
 * made of plain words.
 */
import { findNonce, seedOfNonce } from '../wire/nonce.ts'

export interface Prompt {
  promptTokens: number
  nonce: string | undefined
  seed: string
}

const BYTES_A_TOKEN = 4

/** Enough of the last text to hold a nonce and white space, or to tell prompts apart, however long the text is. */
const END_CHARS = 512

/** `texts` in the order of the request; `tokenIds` counts those that came as ids; `ownSeed` is the request's `seed`. */
export function readPrompt(texts: readonly string[], tokenIds: number, ownSeed?: number | null): Prompt {
  let bytes = 0
  for (const text of texts) bytes += Buffer.byteLength(text)
  const end = (texts.at(-1) ?? '').slice(-END_CHARS)
  const nonce = findNonce(end)
  return {
    promptTokens: Math.ceil(bytes / BYTES_A_TOKEN) + tokenIds,
    nonce,
    seed: nonce ? seedOfNonce(nonce) : String(ownSeed ?? `${bytes}:${tokenIds}:${end}`),
  }
}

interface Message {
  content?: string | readonly Part[] | null | undefined
  /** What a tool returned, in Responses. */
  output?: unknown
}

interface Part {
  text?: string | undefined
  /** What a tool returned, in Messages. */
  content?: unknown
}

/** The texts of messages, part by part. */
export function messageTexts(messages: readonly Message[]): string[] {
  return messages.flatMap(({ content, output }) => {
    if (typeof content === 'string') return [content]
    if (typeof output === 'string') return [output]
    return (content ?? []).flatMap(
      ({ text, content: returned }) => text ?? (typeof returned === 'string' ? returned : []),
    )
  })
}

type PromptInput = string | readonly string[] | readonly number[] | readonly (readonly number[])[]

/** The items of a `prompt` or `input`: texts, or arrays of token ids. A flat array of ids is one item. */
export function inputItems(input: PromptInput): (string | readonly number[])[] {
  if (typeof input === 'string') return [input]
  return typeof input[0] === 'number' ? [input as readonly number[]] : [...(input as readonly (string | number[])[])]
}

/** The prompt that `items` make together. */
export function readItems(items: readonly (string | readonly number[])[], ownSeed?: number | null): Prompt {
  const texts = items.filter((item) => typeof item === 'string')
  const tokenIds = items.reduce((sum, item) => sum + (typeof item === 'string' ? 0 : item.length), 0)
  return readPrompt(texts, tokenIds, ownSeed)
}

/**
 * The words of an answer: a round of plain English, one token each (with its leading space) in OpenAI's vocabularies.
 * ASCII without digits, quotes or escapes, so that no filter takes it for data and it is its own JSON.
 */
const FIRST = 'The'
const ROUND = (
  ' simulated model answers with plain words so that every token can be counted and nothing in the text looks like' +
  ' private data while the gateway passes each of them along to the client in order.'
).split(/(?= )/)
const ROUND_TEXT = ROUND.join('')
const ROUND_TWICE = ROUND_TEXT.repeat(2)

/** Where each token of the first round begins. */
const OFFSETS = ROUND.map((_, i) => ROUND.slice(0, i).join('').length)

/** The first `count` tokens in one string. */
export function answerText(count: number): string {
  return count === 0 ? '' : FIRST + rounds(0, count - 1)
}

/** `count` tokens from the one at `index` on, in one string. */
export function answerTextFrom(index: number, count: number): string {
  return index === 0 ? answerText(count) : rounds((index - 1) % ROUND.length, count)
}

/** `count` tokens of the endless round, from its token `at` on. */
function rounds(at: number, count: number): string {
  if (count === 1) return ROUND[at] ?? ''
  const end = at + count
  const text = end < 2 * ROUND.length ? ROUND_TWICE : ROUND_TEXT.repeat(Math.ceil(end / ROUND.length) + 1)
  return text.slice(offsetOf(at), offsetOf(end))
}

function offsetOf(at: number): number {
  return Math.floor(at / ROUND.length) * ROUND_TEXT.length + (OFFSETS[at % ROUND.length] ?? 0)
}
