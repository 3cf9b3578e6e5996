import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { answerText } from '../../src/provider/text.ts'
import { nonceWord } from '../../src/wire/nonce.ts'
import { parseStamp } from '../../src/wire/stamp.ts'
import { chatBody, collect, nonce, post, provider, watched } from './support.ts'

const input = `Say something plain. ${nonceWord(nonce(1))}`

async function client(options = {}): Promise<OpenAI> {
  const { url } = await provider(options)
  return new OpenAI({ apiKey: 'any', baseURL: `${url}/v1`, maxRetries: 0 })
}

test('a response has the asked number of tokens, usage and a stamp', async () => {
  const answer = await (await client({ reasoningTokens: 4 })).responses.create({
    model: 'gpt-5',
    input,
    max_output_tokens: 9,
  })
  expect(answer).toMatchObject({
    object: 'response',
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output_text: answerText(9),
    usage: {
      input_tokens: 10,
      output_tokens: 13,
      total_tokens: 23,
      output_tokens_details: { reasoning_tokens: 4 },
    },
  })
  const stamp = 'system_fingerprint' in answer ? String(answer.system_fingerprint) : ''
  expect(parseStamp(stamp)).toMatchObject({ nonce: nonce(1), attempt: 1 })
})

test('input items, instructions, and an answer without a limit', async () => {
  const answer = await (await client()).responses.create({
    model: 'gpt-5',
    instructions: 'be plain',
    input: [
      { role: 'user', content: 'hi' },
      { role: 'user', content: [{ type: 'input_text', text: 'there' }] },
    ],
  })
  // 'be plain', 'hi' and 'there': 15 bytes.
  expect(answer).toMatchObject({ status: 'completed', output_text: answerText(5), usage: { input_tokens: 4 } })
})

test('a stream has the events of the API in their order, numbered without a gap', async () => {
  const openai = await client()
  const events = await collect(await openai.responses.create({ model: 'gpt-5', input, stream: true }))
  expect(events.map(({ type }) => type)).toEqual([
    ...['response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added'],
    ...Array(5).fill('response.output_text.delta'),
    ...['response.output_text.done', 'response.content_part.done', 'response.output_item.done', 'response.completed'],
  ])
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, i) => i))
  const done = events.find((event) => event.type === 'response.output_text.done')
  expect(done).toMatchObject({ text: answerText(5) })
})

test('the client’s own stream helper puts the response together', async () => {
  const stream = (await client()).responses.stream({ model: 'gpt-5', input })
  const final = await stream.finalResponse()
  expect(final).toMatchObject({ status: 'completed', output_text: answerText(5) })
})

test('kt’s client reads it: tokens, usage, stamps, the end, limited or not', async () => {
  const { url } = await provider()
  for (const limit of [{}, { max_output_tokens: 20 }]) {
    const text = await (await post(`${url}/v1/responses`, { model: 'm', input, stream: true, ...limit })).text()
    const watch = watched(text)
    const tokens = limit.max_output_tokens ?? 5
    expect(watch).toMatchObject({ ended: true, error: undefined, garbage: undefined, tokenEvents: tokens })
    expect(watch.usage).toEqual({ input: 10, output: tokens, reasoning: 0, cached: 0, cacheWritten: 0 })
    expect(watch.stamps.every((stamp) => stamp?.nonce === nonce(1))).toBe(true)
  }
})

test.each<[string, unknown, string | null]>([
  ['no input', { model: 'm' }, 'input'],
  ['chat messages', chatBody('hi'), 'input'],
  ['a background response', { model: 'm', input: 'hi', background: true }, 'background'],
])('%s is refused', async (_, body, param) => {
  const { url } = await provider()
  const response = await post(`${url}/v1/responses`, body)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param } })
})
