/** Rows of OpenAI's Batch API: a request each, with all its members. Whether it is streamed is for the run to say. */
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { asObject } from '../../wire/json.ts'
import { type Added, messagesSchema } from './dataset.ts'
import { parseRow, type RowShape, tokens } from './shape.ts'

const batchRow = z.looseObject({
  custom_id: z.string().optional(),
  method: z.literal('POST', "must be 'POST'").optional(),
  url: z.string().startsWith('/', "must be a path such as '/v1/chat/completions'"),
  body: z.looseObject({
    model: z.string().optional(),
    messages: messagesSchema.optional(),
    prompt: z.string().optional(),
    input: z.string().optional(),
    max_tokens: tokens.nullish(),
  }),
})

export const openaiBatch: RowShape = {
  example:
    '{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4o-mini", ' +
    '"messages": [{"role": "user", "content": "Say hello"}]}}',
  fits: ({ url, body }) => url !== undefined && asObject(body) !== undefined,
  read(row, place) {
    const { url, body: checked } = parseRow(row, batchRow, place, openaiBatch.example)
    // As it was written, keys in their order: what zod returns puts those it knows first.
    const { body } = row as z.infer<typeof batchRow>
    const { messages, prompt, input, max_tokens, stream, stream_options, ...members } = body
    const text = prompt ?? input
    if (!messages && text === undefined) {
      throw new UserError(`${place}: body: no messages, no prompt and no input`, `A row is ${openaiBatch.example}.`)
    }
    const add: Added = messages ? { messages } : { prompt: text ?? '' }
    return { place, path: url, turns: [{ add, outputTokens: checked.max_tokens ?? undefined, members }] }
  },
}
