/**
 * Gemini's generateContent and streamGenerateContent: reads the body (the path names the model), and writes the answer
 * whole (JSON) or streamed (SSE, CRLF line ends, the usage so far in every event, no end mark but the finish reason).
 * The stamp is a member of the answer and of each event, beside the official ones, as `modelVersion` is.
 */
import { z } from 'zod'
import {
  type AnswerBody,
  type ApiFlavor,
  accept,
  inputRefusal,
  MAX_TOKENS,
  type ParsedRequest,
  type ReplyContext,
  type RequestParser,
  refuse,
  type StreamEvents,
} from '../api.ts'
import type { Refusal } from '../faults.ts'
import { answerText, readPrompt } from '../text.ts'

const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

/** The key in x-goog-api-key or ?key=, and errors as `{error: {code, message, status}}`. */
export const gemini: ApiFlavor = {
  keyPlace: 'x-goog-api-key: KEY',
  readKey: (headers, url) => {
    const key = headers['x-goog-api-key']
    if (typeof key === 'string') return key
    return new URLSearchParams(url.split('?', 2)[1]).get('key') ?? undefined
  },
  toStatus: ({ status }) => status,
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

export const parseGenerate: RequestParser = (json, defaultTokens, { model, stream }) => {
  const { success, data, error } = body.safeParse(json, { reportInput: true })
  if (!success) return refuse(inputRefusal(error))
  const config = data.generationConfig ?? data.generation_config
  const system = data.systemInstruction ?? data.system_instruction
  const texts = [system, ...data.contents].flatMap((entry) => entry?.parts ?? []).flatMap(({ text }) => text ?? [])
  const asked = config?.maxOutputTokens ?? config?.max_output_tokens
  const request: ParsedRequest = {
    model,
    stream,
    tokens: asked ?? defaultTokens,
    finishReason: asked ? 'length' : 'stop',
    ...readPrompt(texts, 0, config?.seed),
  }
  return accept({
    request,
    whole: (context) => wholeAnswer(request, context),
    streamed: (context) => streamedAnswer(request, context),
  })
}

function wholeAnswer(request: ParsedRequest, context: ReplyContext): AnswerBody {
  const head = `{${BEFORE}${answerText(request.tokens)}`
  const tail = `${AFTER},${reasonOf(request)},"index":0}]${metadataOf(request, context)(request.tokens)}`
  return (stamp, textEnd) => `${head}${textEnd}${tail}${stamp}}`
}

function streamedAnswer(request: ParsedRequest, context: ReplyContext): StreamEvents {
  const metadata = metadataOf(request, context)
  return {
    open: () => '',
    event: (text, tokens, stamp) => `data: {${BEFORE}${text}${AFTER},"index":0}]${metadata(tokens)}${stamp}}\r\n\r\n`,
    close: (stamp) =>
      `data: {${BEFORE}${AFTER},${reasonOf(request)},"index":0}]${metadata(request.tokens)}${stamp}}\r\n\r\n`,
    fail: (refusal) => `data: ${errorBody(refusal)}\r\n\r\n`,
  }
}

const BEFORE = '"candidates":[{"content":{"parts":[{"text":"'

const AFTER = '"}],"role":"model"}'

function reasonOf({ finishReason }: ParsedRequest): string {
  return `"finishReason":"${finishReason === 'length' ? 'MAX_TOKENS' : 'STOP'}"`
}

/** The usage once `tokens` were written, and what comes after it. */
function metadataOf(
  { model, promptTokens }: ParsedRequest,
  { id, reasoningTokens }: ReplyContext,
): (tokens: number) => string {
  const details = `"promptTokensDetails":[{"modality":"TEXT","tokenCount":${promptTokens}}]`
  const thoughts = reasoningTokens > 0 ? `,"thoughtsTokenCount":${reasoningTokens}` : ''
  const tail = `,${details}${thoughts}},"modelVersion":${JSON.stringify(model)},"responseId":"${id}"`
  const before = promptTokens + reasoningTokens
  return (tokens) =>
    `,"usageMetadata":{"promptTokenCount":${promptTokens},"candidatesTokenCount":${tokens},` +
    `"totalTokenCount":${before + tokens}${tail}`
}
