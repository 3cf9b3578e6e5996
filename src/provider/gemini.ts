/** Gemini's generateContent and streamGenerateContent, as far as the provider acts on a request. */
import { z } from 'zod'
import { success } from '../errors.ts'
import { geminiWriter, readGeneratePath, STREAM_QUERY, writeGeminiError } from '../wire/gemini.ts'
import { MAX_TOKENS, type ProviderApi, refuse, textParser } from './api.ts'
import { badRequest } from './faults.ts'
import { readPrompt } from './text.ts'

const parts = z.array(
  z.looseObject({
    text: z.string().optional(),
    functionResponse: z.looseObject({ response: z.looseObject({ result: z.unknown() }) }).optional(),
  }),
)

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

/** The key is in x-goog-api-key or ?key=, and the address names the model and whether to stream. */
export const generateApi: ProviderApi = {
  flavor: {
    keyPlace: 'x-goog-api-key: KEY',
    readKey: (headers, url) => {
      const key = headers['x-goog-api-key']
      if (typeof key === 'string') return key
      return new URLSearchParams(url.split('?', 2)[1]).get('key') ?? undefined
    },
    toStatus: (status) => status,
    writeError: writeGeminiError,
    requestIdHeader: 'x-request-id',
  },
  path: '/v1beta/',
  readPath: (path, query) => {
    const named = readGeneratePath(path.replace(/^\/v1(?:beta)?/, ''))
    const [key, value] = STREAM_QUERY
    if (named?.stream && new URLSearchParams(query).get(key) !== value) {
      return refuse(badRequest(`Only streams of server-sent events are simulated: add ?${key}=${value} to the URL.`))
    }
    return named && success(named)
  },
  parse: textParser(body, geminiWriter, (data, { model, stream }) => {
    const config = data.generationConfig ?? data.generation_config
    const system = data.systemInstruction ?? data.system_instruction
    const texts = [system, ...data.contents].flatMap((entry) => entry?.parts ?? []).flatMap(textsOf)
    const limit = config?.maxOutputTokens ?? config?.max_output_tokens
    return { model, stream, limit, prompt: readPrompt(texts, 0, config?.seed) }
  }),
}

/** A text, or what a tool returned. */
function textsOf({ text, functionResponse }: z.output<typeof parts>[number]): string[] {
  const result = functionResponse?.response.result
  if (text !== undefined) return [text]
  return typeof result === 'string' ? [result] : []
}
