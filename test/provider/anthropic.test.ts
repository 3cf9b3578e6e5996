import { expect, test } from 'vitest'
import { answerText } from '../../src/provider/text.ts'
import { parseStamp } from '../../src/wire/stamp.ts'
import { streamObjects } from '../support/streams.ts'
import { ANTHROPIC, eventsOf, messagesWith, nonce, placesOf, post, provider, truthOf, watched } from './support.ts'

const PATH = '/v1/messages'

async function streamed(more: Record<string, unknown> = {}, options = {}): Promise<string> {
  const target = await provider(options)
  const body = messagesWith(nonce(1), { stream: true, ...more })
  const response = await post(target.url + PATH, body, { headers: ANTHROPIC })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  return response.text()
}

test('a message has the asked number of tokens, usage and a stamp', async () => {
  const target = await provider({ reasoningTokens: 3 })
  const body = messagesWith(nonce(1), { max_tokens: 9, system: [{ type: 'text', text: 'Be plain.' }] })
  const response = await post(target.url + PATH, body, { headers: ANTHROPIC })
  expect(response.headers.get('request-id')).toMatch(/^req_kt/)
  const answer = (await response.json()) as { system_fingerprint: string }
  expect(answer).toMatchObject({
    type: 'message',
    role: 'assistant',
    model: 'gpt-4o',
    content: [{ type: 'text', text: answerText(9) }],
    stop_reason: 'max_tokens',
    stop_sequence: null,
    // 'Be plain.', 'Say something plain. kt' and sixteen letters: 48 bytes. Hidden thinking is billed.
    usage: { input_tokens: 12, output_tokens: 9 + 3 },
  })
  expect(parseStamp(answer.system_fingerprint)).toMatchObject({ nonce: nonce(1), attempt: 1 })
  expect(await truthOf(target)).toMatchObject([{ nonce: nonce(1), tokens: 9, status: 200, stream: false }])
})

test('a stream has the events of the API in their order, each named by its type', async () => {
  const events = eventsOf(await streamed())
  expect(events.map(({ json }) => json.type)).toEqual([
    ...['message_start', 'content_block_start', 'ping'],
    ...Array(5).fill('content_block_delta'),
    ...['content_block_stop', 'message_delta', 'message_stop'],
  ])
  expect(events.every(({ name, json }) => name === json.type)).toBe(true)
  expect(events.every(({ json }) => parseStamp(String(json.system_fingerprint))?.nonce === nonce(1))).toBe(true)
})

test('kt’s client reads it: tokens, usage, stamps, the end', async () => {
  const watch = watched(await streamed({ max_tokens: 20 }))
  expect(watch).toMatchObject({ ended: true, error: undefined, garbage: undefined, tokenEvents: 20 })
  expect(watch.usage).toMatchObject({ input: 10, output: 20 })
  expect(watch.stamps.every((stamp) => stamp?.nonce === nonce(1))).toBe(true)
})

test('events have the shape of a recorded stream', async () => {
  const events = eventsOf(await streamed())
  for (const recorded of streamObjects('anthropic-text')) {
    const own = events.find(({ json }) => json.type === recorded.type)?.json
    expect(placesOf(own).toSorted()).toEqual([...placesOf(recorded), 'system_fingerprint: string'].toSorted())
  }
})

test.each<[string, string, unknown, number, string]>([
  ['no max_tokens', PATH, messagesWith(nonce(1), { max_tokens: undefined }), 400, 'invalid_request_error'],
  ['a role of OpenAI', PATH, messagesWith('', { messages: [{ role: 'system' }] }), 400, 'invalid_request_error'],
  ['an unknown model', PATH, messagesWith(nonce(1), { model: 'unknown-model' }), 404, 'not_found_error'],
  ['no JSON', PATH, '{', 400, 'invalid_request_error'],
  ['an unknown path', `${PATH}/batches`, {}, 404, 'not_found_error'],
])('%s is refused as Anthropic would', async (_, path, body, status, type) => {
  const { url } = await provider()
  const response = await post(url + path, body, { headers: ANTHROPIC })
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({
    type: 'error',
    error: { type, message: expect.stringMatching(/\w/) },
    request_id: expect.stringMatching(/^req_kt/),
  })
})

test('the version header is asked for, and the key is x-api-key', async () => {
  const { url } = await provider({ apiKey: 'right' })
  const statusWith = async (headers: Record<string, string>) =>
    (await post(url + PATH, messagesWith(nonce(1)), { headers })).status
  expect(await statusWith({ 'x-api-key': 'right' })).toBe(400)
  expect(await statusWith({ ...ANTHROPIC, 'x-api-key': 'right' })).toBe(200)
  expect(await statusWith({ ...ANTHROPIC, 'x-api-key': 'wrong' })).toBe(401)
  expect(await statusWith({ 'anthropic-version': '2023-06-01' })).toBe(401)
})
