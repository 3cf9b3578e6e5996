// What is read from a response as it passes: first token and usage, in recorded streams of several providers, cut
// anywhere.
import { expect, test } from 'vitest'
import { ResponseFacts } from '../../../reference-gateway/events/response-facts.ts'
import { asEvents, streamPayloads } from '../../support/streams.ts'

const STREAM = { status: 200, isEventStream: true, contentType: 'text/event-stream' }
const JSON_HEAD = { status: 200, isEventStream: false, contentType: 'application/json' }

function factsOf(bytes: Buffer, size: number): ResponseFacts {
  const facts = new ResponseFacts(STREAM)
  for (let at = 0; at < bytes.length; at += size) facts.data(bytes.subarray(at, at + size))
  return facts
}

test.each([
  ['openai-text', [16, 300]],
  ['deepseek-reasoning', [18, 219]],
  ['azure-model-router.1', [15, 78]],
] as const)('recorded stream %s: usage, in pieces of any size', (name, [input_tokens, output_tokens]) => {
  const bytes = Buffer.from(asEvents([...streamPayloads(name), '[DONE]']))
  const usage = { input_tokens, output_tokens }
  for (const size of [1_000_000, 4_096, 777]) {
    const facts = factsOf(bytes, size)
    expect(facts.usage()).toEqual(usage)
    expect(facts.firstTokenMs).toBeGreaterThan(0)
  }
})

test('a role alone, an empty delta and a filter result are no token', () => {
  const facts = new ResponseFacts(STREAM)
  facts.data(Buffer.from('data: {"choices":[],"prompt_filter_results":[]}\n\n'))
  facts.data(Buffer.from('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'))
  facts.data(Buffer.from('data: {"choices":[{"delta":{"content":null}}]}\n\n'))
  expect(facts.firstTokenMs).toBe(0)
  facts.data(Buffer.from('data: {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{"}}]}}]}\n\n'))
  expect(facts.firstTokenMs).toBeGreaterThan(0)
})

test('JSON responses: usage of chat and of responses; null without usage', () => {
  const usage = (text: string) => {
    const facts = new ResponseFacts(JSON_HEAD)
    facts.data(Buffer.from(text))
    return facts.usage()
  }
  expect(usage('{"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}')).toEqual({
    input_tokens: 7,
    output_tokens: 3,
  })
  expect(usage('{"usage": { "input_tokens": 7, "input_tokens_details": {}, "output_tokens": 3 }}')).toEqual({
    input_tokens: 7,
    output_tokens: 3,
  })
  expect(usage('{"usage":null}')).toEqual({ input_tokens: null, output_tokens: null })
  expect(usage('')).toEqual({ input_tokens: null, output_tokens: null })
})

const token = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
const DONE = 'data: [DONE]\n\n'

test.each([
  ['{error: …}', `${token}data: {"error":{"message":"died"}}\n\n${DONE}`, true],
  ['before the first token', `data: {"error":{"message":"busy"}}\n\n${token.repeat(9_000)}${DONE}`, true],
  ['after many tokens', `${token.repeat(9_000)}event: error\ndata: upstream connect error\n\n${DONE}`, true],
  ['its reason a comment, no end', `${token.repeat(9_000)}event: error\n: no worker`, true],
  ['a flat code', `${token}data: {"message":"worker lost","code":503}\n\n${DONE}`, true],
  ['a finish reason', `${token}data: {"choices":[{"delta":{},"finish_reason":"error"}]}\n\n`, true],
  ['none', `${token.repeat(9_000)}${DONE}`, false],
  ['a sentinel', `${token}data: {"choices":[],"error":false}\n\n${DONE}`, false],
  ['the word', `data: {"choices":[{"delta":{"content":"an error, \\"code\\""}}]}\n\n${DONE}`, false],
])('a failure inside a stream of status 200: %s', (_name, text, failed) => {
  for (const size of [1_000_000, 777]) expect(factsOf(Buffer.from(text), size).failedWithin()).toBe(failed)
})

test.each([
  ['{"error":{"message":"model overloaded"}}', 200, true],
  ['[{"error":{"code":503,"message":"overloaded"}}]', 200, true],
  ['{"choices":[{"message":{"content":"an error"}}],"error":null}', 200, false],
  ['{"error":{"message":"refused"}}', 400, false],
])('%s with status %i', (text, status, failed) => {
  const facts = new ResponseFacts({ ...JSON_HEAD, status })
  facts.data(Buffer.from(text))
  expect(facts.failedWithin()).toBe(failed)
})

test('only the end of a long response is remembered', () => {
  const facts = new ResponseFacts(STREAM)
  const event = Buffer.from(`data: {"choices":[{"delta":{"content":"x"}}]}\n\n`)
  for (let i = 0; i < 10_000; i++) facts.data(event)
  facts.data(Buffer.from('data: {"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n'))
  expect(facts.usage()).toEqual({ input_tokens: 7, output_tokens: 3 })
})

test('the first token of Responses, Anthropic and Gemini streams is their first delta, not the repetition', () => {
  const streams = {
    responses: [
      '{"type":"response.created","response":{"output":[],"usage":null}}',
      '{"type":"response.output_text.delta","delta":"Hi"}',
    ],
    anthropic: [
      '{"type":"message_start","message":{"content":[],"usage":{"input_tokens":7,"cache_read_input_tokens":2}}}',
      '{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}',
    ],
    gemini: ['{"usageMetadata":{"promptTokenCount":9}}', '{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}'],
  }
  for (const [before = '', token = ''] of Object.values(streams)) {
    const facts = new ResponseFacts(STREAM)
    facts.data(Buffer.from(asEvents([before])))
    expect(facts.firstTokenMs, before).toBe(0)
    facts.data(Buffer.from(asEvents([token])))
    expect(facts.firstTokenMs, token).toBeGreaterThan(0)
  }
})

test('usage in parts, and usage in an event longer than what is kept', () => {
  const anthropic = [
    '{"type":"message_start","message":{"usage":{"input_tokens":7,"cache_read_input_tokens":2,"output_tokens":1}}}',
    '{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}',
    '{"type":"message_delta","delta":{},"usage":{"output_tokens":3}}',
  ]
  expect(factsOf(Buffer.from(asEvents(anthropic)), 10).usage()).toEqual({ input_tokens: 9, output_tokens: 3 })
  const text = 'word '.repeat(4_000)
  const responses = [
    '{"type":"response.output_text.delta","delta":"Hi"}',
    `{"type":"response.completed","response":{"output_text":"${text}","usage":{"input_tokens":7,"output_tokens":3}}}`,
  ]
  expect(factsOf(Buffer.from(asEvents(responses)), 1_000).usage()).toEqual({ input_tokens: 7, output_tokens: 3 })
})
