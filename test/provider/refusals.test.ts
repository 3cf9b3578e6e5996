import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBody } from '../../src/provider/api.ts'
import { APIS } from '../../src/provider/routes.ts'
import { chatBody, post, postChat, provider } from './support.ts'

const CHAT = '/v1/chat/completions'
const COMPLETIONS = '/v1/completions'
const EMBEDDINGS = '/v1/embeddings'
const user = { role: 'user', content: 'hi' }

test.each<[string, string, unknown, number, string | null, string | null]>([
  ['malformed JSON', CHAT, '{"model":', 400, null, null],
  ['no body', CHAT, '', 400, null, null],
  ['a body that is no object', CHAT, [1], 400, null, 'invalid_type'],
  ['no model', CHAT, { messages: [user] }, 400, 'model', 'missing_required_parameter'],
  ['no messages', CHAT, { model: 'm' }, 400, 'messages', 'missing_required_parameter'],
  ['messages of a wrong type', CHAT, { model: 'm', messages: 'hi' }, 400, 'messages', 'invalid_type'],
  ['no message', CHAT, { model: 'm', messages: [] }, 400, 'messages', 'invalid_value'],
  ['an unknown role', CHAT, { model: 'm', messages: [{ role: 'boss' }] }, 400, 'messages[0].role', 'invalid_value'],
  ['content of a wrong type', CHAT, chatBody(5 as never), 400, 'messages[0].content', 'invalid_type'],
  ['stream of a wrong type', CHAT, chatBody('hi', { stream: 'yes' }), 400, 'stream', 'invalid_type'],
  ['no tokens', CHAT, chatBody('hi', { max_tokens: 0 }), 400, 'max_tokens', 'invalid_value'],
  ['too many tokens', CHAT, chatBody('hi', { max_tokens: 1e9 }), 400, 'max_tokens', 'invalid_value'],
  ['two choices', CHAT, chatBody('hi', { n: 2 }), 400, 'n', 'invalid_value'],
  ['heat', CHAT, chatBody('hi', { temperature: 3 }), 400, 'temperature', 'invalid_value'],
  ['options of no stream', CHAT, chatBody('hi', { stream_options: {} }), 400, 'stream_options', null],
  ['an unknown model', CHAT, chatBody('hi', { model: 'gpt-unknown' }), 404, null, 'model_not_found'],
  ['no prompt', COMPLETIONS, { model: 'm' }, 400, 'prompt', 'missing_required_parameter'],
  ['two prompts', COMPLETIONS, { model: 'm', prompt: ['a', 'b'] }, 400, 'prompt', 'invalid_type'],
  ['no input', EMBEDDINGS, { model: 'm', input: [] }, 400, 'input', 'invalid_type'],
  ['empty input', EMBEDDINGS, { model: 'm', input: '' }, 400, 'input', 'invalid_value'],
  [
    'an unknown format',
    EMBEDDINGS,
    { model: 'm', input: 'a', encoding_format: 'hex' },
    400,
    'encoding_format',
    'invalid_value',
  ],
  ['no dimensions', EMBEDDINGS, { model: 'm', input: 'a', dimensions: 0 }, 400, 'dimensions', 'invalid_value'],
  ['an unknown path', '/v1/chat', {}, 404, null, 'unknown_url'],
  ['a name on the prototype', '/__proto__', {}, 404, null, 'unknown_url'],
  ['a wrong method', '/v1/models', {}, 405, null, 'method_not_supported'],
])('%s is refused as OpenAI would', async (_, path, body, status, param, code) => {
  const { url } = await provider()
  const response = await post(url + path, body)
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.headers.get('server-timing')).toMatch(/^kt-provider;dur=\d+\.\d{3}$/)
  expect(await response.json()).toEqual({
    error: { message: expect.stringMatching(/\w.*\.$/), type: 'invalid_request_error', param, code },
  })
})

test('a key is asked for where one is set, and for kt’s own view it is not', async () => {
  const target = await provider({ apiKey: 'right' })
  const statusWith = async (headers: Record<string, string>) =>
    (await postChat(target, chatBody('hi'), { headers })).status
  expect(await statusWith({})).toBe(401)
  expect(await statusWith({ authorization: 'Bearer wrong' })).toBe(401)
  expect(await statusWith({ authorization: 'Bearer right' })).toBe(200)
  expect((await fetch(`${target.url}/__kt/stats`)).status).toBe(200)
  expect((await fetch(`${target.url}/health`)).status).toBe(200)
})

test('a compressed body is refused, not misread', async () => {
  const target = await provider()
  const response = await postChat(target, chatBody('hi'), { headers: { 'content-encoding': 'gzip' } })
  expect(response.status).toBe(415)
})

test('a body above 64 MiB is refused, and the connection lives on', async () => {
  const target = await provider()
  const response = await postChat(target, chatBody('x'.repeat(64 * 2 ** 20)))
  expect(response.status).toBe(413)
  expect(await response.json()).toMatchObject({ error: { code: 'request_too_large' } })
  expect((await postChat(target, chatBody('hi'))).status).toBe(200)
})

test('what clients send beyond the schema is accepted', async () => {
  const target = await provider()
  const messages = [
    { role: 'system', content: [{ type: 'text', text: 'be plain' }] },
    { role: 'assistant', content: null, tool_calls: [] },
    { role: 'tool', content: '42', tool_call_id: 'x' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }], name: 'me' },
  ]
  const extras = { messages, n: 1, stop: null, max_tokens: null, tools: [], user: 'u', logit_bias: {}, metadata: {} }
  expect((await postChat(target, chatBody('', extras))).status).toBe(200)
})

test('no JSON whatsoever is more than a refusal', () => {
  const keys = fc.constantFrom(
    ...['model', 'messages', 'prompt', 'input', 'stream', 'n', 'max_tokens', 'role', 'content', 'contents', 'parts'],
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.array(tie('tree')), fc.dictionary(keys, tie('tree'))),
  }))
  const apis = fc.constantFrom(...Object.values(APIS))
  fc.assert(
    fc.property(tree, apis, (json, { parse }) => {
      const parsed = parseBody({ parse, named: { model: 'm', stream: false } }, JSON.stringify(json), 5)
      if (!parsed.ok) expect(parsed.refusal.status).toBe(400)
    }),
  )
})
