/**
 * Gemini's generateContent and streamGenerateContent: reads the body (the path names the model), and writes the answer whole
 * (JSON) or streamed (SSE, CRLF line ends, the usage so far in every event, no end mark but the finish reason). The stamp is a
 * member of the answer and of each event, beside the official ones, as `modelVersion` is.
 */
import { z } from 'zod'
import {
  type Ask,
  type Dialect,
  MAX_TOKENS,
  refusalOfInput,
  type Setting,
  type Streamed,
  type Understand,
  type Whole,
} from '../ask.ts'
import type { Refusal } from '../faults.ts'
import { promptOf, textOf } from '../prompt.ts'

/** Gemini's dialect: the key in x-goog-api-key or ?key=, and errors as `{error: {code, message, status}}`. */

const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

export const gemini: Dialect = {
  keyPlace: 'x-goog-api-key: KEY',
  keyOf: (headers, url) => {
    const key = headers['x-goog-api-key']
    if (typeof key === 'string') return key
    return new URLSearchParams(url.split('?', 2)[1]).get('key') ?? undefined
  },
  statusOf: ({ status }) => status,
  refusalBody: errorBody,
  requestIdHeader: 'x-request-id',
}

function errorBody({ status, message }: Refusal): string {
  return JSON.stringify({ error: { code: status, message, status: STATUSES[status] ?? 'INVALID_ARGUMENT' } })
}

const parts = z.array(z.looseObject({ text: z.string().optional() }))

const limit = z.int().min(1).max(MAX_TOKENS).nullish()

/** Protocol buffers' JSON takes either spelling of a name, and clients use both. */
const generationConfig = z
  .looseObject({
    maxOutputTokens: limit,
    max_output_tokens: limit,
    candidateCount: z.literal(1, 'expected 1 (the simulated provider answers with one candidate)').nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    seed: z.int().nullish(),
  })
  .nullish()

const body = z.looseObject({
  contents: z.array(z.looseObject({ role: z.string().nullish(), parts })).min(1),
  systemInstruction: z.looseObject({ parts }).nullish(),
  system_instruction: z.looseObject({ parts }).nullish(),
  generationConfig,
  generation_config: generationConfig,
})

export const understandGenerate: Understand = (json, defaultTokens, { model, stream }) => {
  const { success, data, error } = body.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOfInput(error) }
  const config = data.generationConfig ?? data.generation_config
  const system = data.systemInstruction ?? data.system_instruction
  const texts = [system, ...data.contents].flatMap((entry) => entry?.parts ?? []).flatMap(({ text }) => text ?? [])
  const asked = config?.maxOutputTokens ?? config?.max_output_tokens
  const ask: Ask = {
    model,
    stream,
    tokens: asked ?? defaultTokens,
    finishReason: asked ? 'length' : 'stop',
    ...promptOf(texts, 0, config?.seed),
  }
  return { ask, whole: (setting) => wholeAnswer(ask, setting), streamed: (setting) => streamedAnswer(ask, setting) }
}

function wholeAnswer(ask: Ask, setting: Setting): Whole {
  const head = `{${BEFORE}${textOf(ask.tokens)}`
  const tail = `${AFTER},${reasonOf(ask)},"index":0}]${metadataOf(ask, setting)(ask.tokens)}`
  return (stamp, textEnd) => `${head}${textEnd}${tail}${stamp}}`
}

function streamedAnswer(ask: Ask, setting: Setting): Streamed {
  const metadata = metadataOf(ask, setting)
  return {
    open: () => '',
    event: (text, tokens, stamp) => `data: {${BEFORE}${text}${AFTER},"index":0}]${metadata(tokens)}${stamp}}\r\n\r\n`,
    close: (stamp) => `data: {${BEFORE}${AFTER},${reasonOf(ask)},"index":0}]${metadata(ask.tokens)}${stamp}}\r\n\r\n`,
    fail: (refusal) => `data: ${errorBody(refusal)}\r\n\r\n`,
  }
}

const BEFORE = '"candidates":[{"content":{"parts":[{"text":"'

const AFTER = '"}],"role":"model"}'

function reasonOf({ finishReason }: Ask): string {
  return `"finishReason":"${finishReason === 'length' ? 'MAX_TOKENS' : 'STOP'}"`
}

/** The usage once `tokens` were written, and what comes after it. */
function metadataOf({ model, promptTokens }: Ask, { id, reasoningTokens }: Setting): (tokens: number) => string {
  const details = `"promptTokensDetails":[{"modality":"TEXT","tokenCount":${promptTokens}}]`
  const thoughts = reasoningTokens > 0 ? `,"thoughtsTokenCount":${reasoningTokens}` : ''
  const tail = `,${details}${thoughts}},"modelVersion":${JSON.stringify(model)},"responseId":"${id}"`
  const before = promptTokens + reasoningTokens
  return (tokens) =>
    `,"usageMetadata":{"promptTokenCount":${promptTokens},"candidatesTokenCount":${tokens},"totalTokenCount":${before + tokens}${tail}`
}
