/** Anthropic's Messages API, as far as the provider acts on a request. */
import { z } from 'zod'
import { anthropic, anthropicStatus, anthropicWriter, writeAnthropicError } from '../wire/anthropic.ts'
import { bearerToken, MAX_TOKENS, type ProviderApi, textParser } from './api.ts'
import { badRequest } from './faults.ts'
import { messageTexts, readPrompt } from './text.ts'

const block = z.looseObject({ type: z.string(), text: z.string().optional() })

const content = z.union([z.string(), z.array(block)], 'expected a string or an array of content blocks')

const body = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1).max(MAX_TOKENS),
  messages: z.array(z.looseObject({ role: z.enum(['user', 'assistant']), content })).min(1),
  system: content.nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
})

/** The key is in x-api-key, and a header names the version. */
export const messagesApi: ProviderApi = {
  flavor: {
    keyPlace: 'x-api-key: KEY',
    readKey: (headers) => {
      const key = headers['x-api-key']
      return typeof key === 'string' ? key : bearerToken(headers.authorization)
    },
    checkHeaders: (headers) =>
      headers['anthropic-version'] === undefined ? badRequest('anthropic-version: header is required') : undefined,
    toStatus: anthropicStatus,
    writeError: writeAnthropicError,
    requestIdHeader: 'request-id',
  },
  path: `/v1${anthropic.path}`,
  parse: textParser(body, anthropicWriter, ({ model, stream, max_tokens: limit, system, messages }) => ({
    model,
    stream,
    limit,
    prompt: readPrompt(messageTexts([{ content: system }, ...messages]), 0),
  })),
}
