// A translation is exact, or refuses: numbers and signatures survive both ways, and no member vanishes.
import { expect, test } from 'vitest'
import { errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { bodyOf } from '../support/upstream.ts'

type Protocol = 'anthropic' | 'gemini'
const BIG = '{"id":9007199254740993,"price":1.10,"small":-0.00000000000000000001}'
const USER = { role: 'user', content: 'hi' }

async function before(protocol: Protocol, answer: string, type = 'application/json') {
  const asked: string[] = []
  const provider = await upstream(async (request, response) => {
    asked.push(await bodyOf(request))
    response.writeHead(200, { 'content-type': type }).end(answer)
  })
  const providers = [{ name: 'p', base_url: provider.url, protocol }]
  const gateway = await gatewayBefore('', { providers })
  const send = (more: Record<string, unknown>) => post(gateway, { model: 'm', messages: [USER], ...more })
  return { asked, send }
}

const ANTHROPIC = (content: string, reason = '"tool_use"') =>
  `{"id":"m","type":"message","content":[${content}],"stop_reason":${reason},` +
  '"usage":{"input_tokens":1,"output_tokens":2}}'
const GEMINI = (parts: string, reason = ',"finishReason":"STOP"') =>
  `{"candidates":[{"content":{"parts":[${parts}]}${reason}}],` +
  '"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2}}'

test.each<[Protocol, string]>([
  ['anthropic', ANTHROPIC(`{"type":"tool_use","id":"t","name":"f","input":${BIG}}`)],
  ['gemini', GEMINI(`{"functionCall":{"name":"f","args":${BIG}}}`)],
])('%s: numbers of tool calls stay as they are written, both ways', async (protocol, answer) => {
  const { asked, send } = await before(protocol, answer)
  const call = { id: 't', type: 'function', function: { name: 'f', arguments: BIG } }
  const result = await send({
    messages: [
      USER,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 't', content: 'r' },
    ],
  })
  expect(asked[0]).toContain(BIG)
  const { choices, usage } = JSON.parse(result.body.toString())
  expect(choices[0].message.tool_calls[0].function.arguments).toBe(BIG)
  expect(usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 2 })
})

test('anthropic: signed reasoning goes to the client and back, whole and streamed', async () => {
  const blocks = [
    { type: 'thinking', thinking: 'hm', signature: 'sig' },
    { type: 'redacted_thinking', data: 'enc' },
  ]
  const events = [
    { type: 'message_start', message: { id: 'm', usage: { input_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'h' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'm' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig' } },
    { type: 'content_block_start', index: 1, content_block: blocks[1] },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
    { type: 'message_stop' },
  ]
  const details = [
    { type: 'reasoning.text', text: 'hm', signature: 'sig', index: 0 },
    { type: 'reasoning.encrypted', data: 'enc', index: 1 },
  ]
  const whole = await before('anthropic', ANTHROPIC(blocks.map((one) => JSON.stringify(one)).join()))
  const { message } = JSON.parse((await whole.send({})).body.toString()).choices[0]
  expect(message).toMatchObject({ reasoning_content: 'hm', reasoning_details: details })
  const stream = await before(
    'anthropic',
    events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
    'text/event-stream',
  )
  const said = (await stream.send({ stream: true })).body.toString().split('\n\n').slice(0, -2)
  const deltas = said.flatMap((event) => JSON.parse(event.slice(6)).choices[0].delta.reasoning_details ?? [])
  expect(deltas).toEqual(details)
  await whole.send({ messages: [USER, message, USER] })
  expect(JSON.parse(whole.asked[1] ?? '').messages[1]).toEqual({ role: 'assistant', content: blocks })
})

test('gemini: thought signatures of calls and texts go to the client and back', async () => {
  const parts =
    '{"text":"hm","thought":true,"thoughtSignature":"s1"},{"text":"so","thoughtSignature":"s2"},' +
    '{"functionCall":{"name":"f","args":{}},"thoughtSignature":"s3"}'
  const { asked, send } = await before('gemini', GEMINI(parts))
  const { message } = JSON.parse((await send({})).body.toString()).choices[0]
  expect(message.tool_calls[0].extra_content).toEqual({ google: { thought_signature: 's3' } })
  await send({ messages: [USER, message, USER] })
  expect(JSON.parse(asked[1] ?? '').contents[1]).toEqual({ role: 'model', parts: JSON.parse(`[${parts}]`) })
})

test.each<[Protocol, Record<string, unknown>, string]>([
  ['anthropic', { seed: 1 }, 'seed'],
  ['anthropic', { metadata: { a: 'b' } }, 'metadata'],
  ['anthropic', { response_format: { type: 'json_object' } }, 'response_format'],
  ['anthropic', { something_new: 0 }, 'something_new'],
  ['anthropic', { messages: [{ ...USER, name: 'bob' }] }, 'messages[0].name'],
  ['gemini', { user: 'u' }, 'user'],
  ['gemini', { reasoning_effort: 'low' }, 'reasoning_effort'],
  ['gemini', { service_tier: 'flex' }, 'service_tier'],
  ['gemini', { tools: [{ type: 'function', function: { name: 'f', strict: true } }] }, 'tools[0].function.strict'],
  [
    'gemini',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }] }] },
    'messages[0].content[0].cache_control',
  ],
])('%s: %j cannot be carried, and is refused by its name', async (protocol, more, name) => {
  const { asked, send } = await before(protocol, '{}')
  const answer = await send(more)
  expect([answer.status, errorOf(answer).code]).toEqual([400, 'unsupported_by_provider'])
  expect(errorOf(answer).message).toContain(`does not support ${name}`)
  expect(asked).toEqual([])
})

test.each<[Protocol, string, Record<string, unknown>]>([
  ['anthropic', ANTHROPIC('{"type":"text","text":"so"}'), { top_k: 4, thinking: { type: 'disabled' }, user: 'u' }],
  ['gemini', GEMINI('{"text":"so"}'), { top_k: 4, seed: 9007199254740992 }],
])('%s: what says nothing passes, and so does an answer that comes back', async (protocol, answer, more) => {
  const { asked, send } = await before(protocol, answer)
  const echoed = {
    role: 'assistant',
    content: 'so',
    refusal: null,
    annotations: [],
    audio: null,
    reasoning_content: 'hm',
  }
  const neutral = { store: false, logprobs: false, logit_bias: {}, service_tier: 'auto', n: 1, metadata: null }
  expect((await send({ ...more, ...neutral, messages: [USER, echoed, USER] })).status).toBe(200)
  expect(asked[0]).toMatch(/"top_?[kK]":4/)
})

test.each<[Protocol, string]>([
  ['anthropic', ANTHROPIC('{"type":"text","text":"so"}', 'null')],
  ['gemini', GEMINI('{"text":"so"}', '')],
])('%s: an answer that says no reason for its end is not whole', async (protocol, answer) => {
  const { send } = await before(protocol, answer)
  const refused = await send({})
  expect([refused.status, errorOf(refused).code]).toEqual([502, 'upstream_unreadable'])
})
