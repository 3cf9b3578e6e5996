/** Gemini's generateContent behind OpenAI's surface, seen through the official client. */
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { streamObjects } from '../../support/streams.ts'
import { post } from '../support/harness.ts'
import { collect, translated } from '../support/translated.ts'

const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 4, thoughtsTokenCount: 6, totalTokenCount: 19 }
const said = (parts: object[], rest: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...rest }],
  usageMetadata,
  modelVersion: 'gemini-x',
  responseId: 'r1',
})
const HI = [{ role: 'user' as const, content: 'hi' }]

test('a chat becomes contents: roles, config, tools, the model in the path, the key in its own header', async () => {
  const { client, asked } = await translated(
    'gemini',
    { json: said([{ text: 'ok' }], { finishReason: 'STOP' }) },
    'g-key',
  )
  const parameters = { type: 'object', properties: { city: { type: 'string' } } }
  await client.chat.completions.create({
    model: 'gemini-x/../y',
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Weather?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 't1', type: 'function', function: { name: 'weather', arguments: '{"city":"B"}' } }],
      },
      { role: 'tool', tool_call_id: 't1', content: 'sunny' },
    ],
    tools: [{ type: 'function', function: { name: 'weather', parameters } }],
    tool_choice: { type: 'function', function: { name: 'weather' } },
    temperature: 1.5,
    top_p: 0.9,
    seed: 7,
    stop: ['A', 'B'],
    max_tokens: 50,
    response_format: { type: 'json_object' },
  })
  expect(asked[0]?.url).toBe('/v1beta/models/gemini-x%2F..%2Fy:generateContent')
  expect(asked[0]?.headers['x-goog-api-key']).toBe('g-key')
  expect(asked[0]?.headers).not.toHaveProperty('authorization')
  expect(asked[0]?.body).toEqual({
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'Weather?' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
      { role: 'model', parts: [{ text: '' }, { functionCall: { name: 'weather', args: { city: 'B' } } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { result: 'sunny' } } }] },
    ],
    tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: parameters }] }],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
    generationConfig: {
      temperature: 1.5,
      topP: 0.9,
      seed: 7,
      stopSequences: ['A', 'B'],
      maxOutputTokens: 50,
      responseMimeType: 'application/json',
    },
  })
})

test('an answer becomes a completion: text, thoughts, calls, finish reason, usage with reasoning', async () => {
  const parts = [
    { text: 'hm', thought: true },
    { text: 'Hel' },
    { text: 'lo' },
    { functionCall: { name: 'f', args: { x: 1 } } },
  ]
  const { client } = await translated('gemini', { json: said(parts, { finishReason: 'STOP' }) })
  const answer = await client.chat.completions.create({ model: 'm', messages: HI })
  expect(answer).toMatchObject({ id: 'r1', model: 'gemini-x' })
  expect(answer.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      content: 'Hello',
      reasoning_content: 'hm',
      tool_calls: [{ id: 'call_0_0', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }],
    },
  })
  expect(answer.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 10, total_tokens: 19 })
  expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBe(6)
})

test.each([3, 100_000])('the recorded stream, %i bytes a write', async (step) => {
  const { client, asked } = await translated('gemini', { events: streamObjects('google-text'), step })
  const stream = await client.chat.completions.create({
    model: 'gemini-3',
    messages: HI,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = await collect(stream)
  expect(asked[0]?.url).toBe('/v1beta/models/gemini-3:streamGenerateContent?alt=sse')
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(
    'There are **3** "r"s in strawberry.\n\nst**r**awbe**rr**y',
  )
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
  expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 208, total_tokens: 217 })
})

test('errors, whole and in a stream, and prompts that are blocked', async () => {
  const error = { error: { code: 400, message: 'bad key', status: 'INVALID_ARGUMENT' } }
  const refused = await translated('gemini', { status: 400, json: error })
  const asking = refused.client.chat.completions.create({ model: 'm', messages: HI })
  await expect(asking).rejects.toThrow(OpenAI.BadRequestError)
  await expect(asking).rejects.toThrow('bad key')
  const broken = await translated('gemini', { events: [said([{ text: 'a' }]), error] })
  const stream = await broken.client.chat.completions.create({ model: 'm', messages: HI, stream: true })
  await expect(collect(stream)).rejects.toThrow('bad key')
  const blocked = await translated('gemini', { json: { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata } })
  const answer = await blocked.client.chat.completions.create({ model: 'm', messages: HI })
  expect(answer.choices[0]?.finish_reason).toBe('content_filter')
})

test('a stream without a finish reason is broken off: it has no other end mark', async () => {
  const { gateway } = await translated('gemini', { events: [said([{ text: 'a' }]), said([{ text: 'b' }])], step: 40 })
  const answer = await post(gateway, { model: 'm', stream: true, messages: HI })
  expect(answer.broken).toBe(true)
  expect(answer.body.toString()).not.toContain('[DONE]')
})

const PICTURE = { type: 'image_url', image_url: { url: 'https://h/a.png' } }

test.each([
  [{ logprobs: true }, "provider 'gemini' does not support logprobs"],
  [{ messages: [{ role: 'user', content: [PICTURE] }] }, 'an image that is not a data: URL'],
  [
    { tools: [{ type: 'function', function: { name: 'f' } }], parallel_tool_calls: false },
    'parallel_tool_calls: false',
  ],
  [{ messages: [{ role: 'system', content: [PICTURE] }] }, 'an image in a message of that role'],
  [{ tools: [{ type: 'web_search' }] }, 'a tool of the type web_search'],
])('a parameter that the provider does not support is refused, not dropped: %j', async (extra, message) => {
  const { gateway, asked } = await translated('gemini', { json: said([{ text: 'ok' }], { finishReason: 'STOP' }) })
  const answer = await post(gateway, { model: 'm', messages: HI, ...extra })
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.body.toString()).error).toMatchObject({
    code: 'unsupported_by_provider',
    message: expect.stringContaining(message),
  })
  expect(asked).toEqual([])
})
