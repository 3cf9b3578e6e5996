/** Anthropic's Messages API behind OpenAI's surface, seen through the official client. */
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { streamObjects } from '../../support/streams.ts'
import { post } from '../support/harness.ts'
import { collect, translated } from '../support/translated.ts'

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [{ type: 'text', text: 'Hello' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, cache_read_input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 5 },
  system_fingerprint: 'fp',
}

const WEATHER = {
  type: 'function',
  function: { name: 'weather', description: 'd', parameters: { type: 'object', properties: { city: {} } } },
} as const

test('a chat becomes a message: roles, limits, tools and images, and the key in its own header', async () => {
  const { client, asked } = await translated('anthropic', { json: MESSAGE }, 'sk-ant')
  await client.chat.completions.create({
    model: 'claude-x',
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'image_url', image_url: { url: 'https://h/a.png' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 't1', type: 'function', function: { name: 'weather', arguments: '{"city":"B"}' } }],
      },
      { role: 'tool', tool_call_id: 't1', content: 'sunny' },
      { role: 'user', content: 'And?' },
    ],
    tools: [WEATHER],
    tool_choice: 'required',
    parallel_tool_calls: false,
    temperature: 0.5,
    stop: 'END',
    max_completion_tokens: 77,
    user: 'u1',
  })
  expect(asked[0]?.url).toBe('/v1/messages')
  expect(asked[0]?.headers).toMatchObject({ 'x-api-key': 'sk-ant', 'anthropic-version': '2023-06-01' })
  expect(asked[0]?.headers).not.toHaveProperty('authorization')
  expect(Object.keys(asked[0]?.headers ?? {}).filter((name) => /stainless|openai/.test(name))).toEqual([])
  expect(asked[0]?.body).toEqual({
    model: 'claude-x',
    max_tokens: 77,
    system: 'Be brief.',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          { type: 'image', source: { type: 'url', url: 'https://h/a.png' } },
        ],
      },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'weather', input: { city: 'B' } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', content: 'sunny' },
          { type: 'text', text: 'And?' },
        ],
      },
    ],
    temperature: 0.5,
    metadata: { user_id: 'u1' },
    stop_sequences: ['END'],
    tools: [{ name: 'weather', description: 'd', input_schema: { type: 'object', properties: { city: {} } } }],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
  })
})

test('without a key of the gateway’s own the client’s key goes along in Anthropic’s header', async () => {
  const { client, asked } = await translated('anthropic', { json: MESSAGE })
  await client.chat.completions.create({ model: 'claude-x', messages: [{ role: 'user', content: 'hi' }] })
  expect(asked[0]?.headers['x-api-key']).toBe('client-key')
  expect(asked[0]?.body).toMatchObject({ max_tokens: 4_096 })
})

test('a message becomes a completion: text, reasoning, tool calls, finish reason, usage, fingerprint', async () => {
  const content = [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'text', text: 'Hello' },
    { type: 'tool_use', id: 't2', name: 'weather', input: { city: 'B' } },
  ]
  const { client } = await translated('anthropic', { json: { ...MESSAGE, content, stop_reason: 'tool_use' } })
  const answer = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
  expect(answer).toMatchObject({ id: 'msg_1', object: 'chat.completion', model: 'claude-x', system_fingerprint: 'fp' })
  expect(answer.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      role: 'assistant',
      content: 'Hello',
      reasoning_content: 'hm',
      tool_calls: [{ id: 't2', type: 'function', function: { name: 'weather', arguments: '{"city":"B"}' } }],
    },
  })
  expect(answer.usage).toMatchObject({ prompt_tokens: 15, completion_tokens: 5, total_tokens: 20 })
  expect(answer.usage?.prompt_tokens_details?.cached_tokens).toBe(3)
})

test.each([1, 7, 100_000])('the recorded stream, %i bytes a write', async (step) => {
  const { client } = await translated('anthropic', { events: streamObjects('anthropic-text'), step })
  const stream = await client.chat.completions.create({
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  const chunks: OpenAI.ChatCompletionChunk[] = []
  for await (const chunk of stream) {
    chunks.push(chunk)
    text += chunk.choices[0]?.delta.content ?? ''
  }
  expect(text).toBe(
    "Hello! I'm doing well, thank you for asking. How are you doing today? Is there anything I can help you with?",
  )
  expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' })
  expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set(['msg_01QC4g3HwBThD4BaNtBckFDJ']))
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 30 } })
})

test('tool calls and reasoning are streamed as they come', async () => {
  const events = [
    { type: 'message_start', message: { ...MESSAGE, content: [] }, system_fingerprint: 'kt1.x' },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'a', name: 'f', input: {} } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"x":' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '1}' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'b', name: 'g', input: {} } },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } },
    { type: 'message_stop' },
  ]
  const { client } = await translated('anthropic', { events })
  const completion = await client.chat.completions
    .stream({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
    .finalChatCompletion()
  expect(completion.system_fingerprint).toBe('kt1.x')
  expect(completion.choices[0]?.finish_reason).toBe('tool_calls')
  expect(completion.choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function)).toEqual([
    expect.objectContaining({ name: 'f', arguments: '{"x":1}' }),
    expect.objectContaining({ name: 'g', arguments: '' }),
  ])
})

test('an error is raised as the client knows it; in a stream it is the last event', async () => {
  const error = { type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } }
  const refused = await translated('anthropic', { status: 429, json: error })
  const asking = refused.client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
  await expect(asking).rejects.toThrow(OpenAI.RateLimitError)
  await expect(asking).rejects.toThrow('slow down')
  const broken = await translated('anthropic', { events: [{ type: 'message_start', message: MESSAGE }, error] })
  const stream = await broken.client.chat.completions.create({
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
  })
  await expect(collect(stream)).rejects.toThrow('slow down')
})

test('a stream that ends too early breaks off, and never looks complete', async () => {
  const events = [
    { type: 'message_start', message: MESSAGE },
    { type: 'content_block_start', index: 0 },
  ]
  const { gateway } = await translated('anthropic', { events, step: 40 })
  const answer = await post(gateway, { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })
  expect(answer.broken).toBe(true)
  expect(answer.body.toString()).not.toContain('[DONE]')
})

test.each([
  [{ n: 2 }, "provider 'anthropic' does not support n"],
  [{ logprobs: true }, 'logprobs'],
  [{ temperature: 1.5 }, 'a temperature above 1'],
  [{ response_format: { type: 'json_object' } }, 'response_format'],
  [{ messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, 'content of the type input_audio'],
  [{ messages: [] }, "'messages' is not a list"],
])('a parameter that the provider does not support is refused, not dropped: %j', async (extra, message) => {
  const { gateway, asked } = await translated('anthropic', { json: MESSAGE })
  const answer = await post(gateway, { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...extra })
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.body.toString()).error.message).toContain(message)
  expect(asked).toEqual([])
})

test('models are listed; other endpoints are not supported', async () => {
  const { client } = await translated('anthropic', { json: { data: [{ type: 'model', id: 'claude-x' }] } })
  expect((await collect(client.models.list())).map(({ id }) => id)).toEqual(['claude-x'])
  await expect(client.embeddings.create({ model: 'm', input: 'x' })).rejects.toThrow(OpenAI.NotFoundError)
})
