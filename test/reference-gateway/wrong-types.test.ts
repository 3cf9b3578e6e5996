// Requests and responses of translated protocols in which a value has the wrong type: 400, and 502.
import { describe, expect, test } from 'vitest'
import { errorOf, post } from './support/harness.ts'
import { type Reply, translated } from './support/translated.ts'

const PROTOCOLS = ['anthropic', 'gemini'] as const
/** String() cannot convert it. */
const NO_WORD = { toString: 1, valueOf: 1 }
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const WHOLE = {
  anthropic: { content: [{ type: 'text', text: 'ok' }], stop_reason: 'end_turn' },
  gemini: { candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP' }] },
}

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })
const calling = (call: unknown) => ({ messages: [{ role: 'assistant', content: null, tool_calls: [call] }] })
const tool = (described: unknown) => ({ tools: [{ type: 'function', function: described }] })

describe.each(PROTOCOLS)('%s', (protocol) => {
  test.each<[object, string]>([
    [{ tools: [{ type: NO_WORD }] }, 'tools[0].type'],
    [{ tools: ['text'] }, 'tools[0]'],
    [{ tools: {} }, 'tools'],
    [tool({ name: NO_WORD }), 'tools[0].function.name'],
    [tool({ name: 'f', description: 1 }), 'tools[0].function.description'],
    [tool({ name: 'f', parameters: [] }), 'tools[0].function.parameters'],
    [{ tool_choice: { function: { name: NO_WORD } } }, 'tool_choice'],
    [{ parallel_tool_calls: 'no' }, 'parallel_tool_calls'],
    [{ stop: [NO_WORD] }, 'stop'],
    [{ stop: 1 }, 'stop'],
    [{ max_tokens: '7' }, 'max_tokens'],
    [{ stream_options: { include_usage: 'yes' } }, 'stream_options.include_usage'],
    [user([{ type: NO_WORD }]), 'messages[0].content'],
    [user([{ type: 'text', text: {} }]), 'messages[0].content'],
    [user([null]), 'messages[0].content'],
    [user({}), 'messages[0].content'],
    [{ messages: [{ role: NO_WORD, content: 'x' }] }, 'messages[0].role'],
    [calling('text'), 'messages[0].tool_calls[0]'],
    [calling({ function: { name: 'f', arguments: {} } }), 'messages[0].tool_calls[0].function.arguments'],
    [{ messages: [{ role: 'tool', tool_call_id: [], content: 'x' }] }, 'messages[0].tool_call_id'],
  ])('a request with %j is refused by the name of the member', async (wrong, member) => {
    const { gateway, asked } = await translated(protocol, { json: WHOLE[protocol] })
    const answer = await post(gateway, { ...CHAT, ...wrong })
    expect(answer.status).toBe(400)
    expect(errorOf(answer)).toMatchObject({
      code: 'invalid_type',
      type: 'invalid_request_error',
      message: `'${member}' is missing or not of its type`,
    })
    expect(asked).toEqual([])
  })

  test('null means absent wherever OpenAI accepts it', async () => {
    const { gateway, asked } = await translated(protocol, { json: WHOLE[protocol] })
    const absent = { tools: null, tool_choice: null, stop: null, max_tokens: null, stream_options: null, user: null }
    const answer = await post(gateway, { ...CHAT, ...absent, response_format: null })
    expect(answer.status).toBe(200)
    expect(asked).toHaveLength(1)
  })

  test.each(['<html>', '[]', 'null', '"text"', ''])('the whole answer %j is 502', async (text) => {
    const { gateway } = await translated(protocol, { text })
    const answer = await post(gateway, CHAT)
    expect(answer.status).toBe(502)
    expect(errorOf(answer).message).toBe('the provider’s answer cannot be read: it is not a JSON object')
  })
})

const parts = (...given: unknown[]) => ({ candidates: [{ content: { parts: given }, finishReason: 'STOP' }] })
const DEEP = { deep: true }
/** Nesting that JSON.stringify would not write. */
const written = (value: unknown): string =>
  JSON.stringify(value).replace('{"deep":true}', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`)

const WRONG_ANSWERS: [(typeof PROTOCOLS)[number], object, string][] = [
  ['anthropic', { content: {} }, "'content' is not a list"],
  ['anthropic', { content: ['text'] }, "'content[]' is not an object"],
  ['anthropic', { content: [{ type: 'text', text: NO_WORD }] }, "'text' is not a string"],
  ['anthropic', { content: [{ type: 'thinking', thinking: [] }] }, "'thinking' is not a string"],
  ['anthropic', { content: [{ type: 'tool_use', id: 't', name: NO_WORD }] }, "'name' is not a string"],
  ['anthropic', { content: [{ type: 'tool_use', id: 't', name: 'f', input: 'x' }] }, "'input' is not an object"],
  ['anthropic', { content: [{ type: 'tool_use', id: 't', name: 'f', input: DEEP }] }, 'it is nested too deep'],
  ['gemini', { candidates: {} }, "'candidates' is not a list"],
  ['gemini', { candidates: [1] }, "'candidates[]' is not an object"],
  ['gemini', { candidates: [{ content: [] }] }, "'content' is not an object"],
  ['gemini', { candidates: [{ content: { parts: 'x' } }] }, "'parts' is not a list"],
  ['gemini', parts({ text: NO_WORD }), "'text' is not a string"],
  ['gemini', parts({ functionCall: 'x' }), "'functionCall' is not an object"],
  ['gemini', parts({ functionCall: { name: [] } }), "'name' is not a string"],
  ['gemini', parts({ functionCall: { name: 'f', args: [] } }), "'args' is not an object"],
  ['gemini', parts({ functionCall: { name: 'f', args: DEEP } }), 'it is nested too deep'],
]

test.each(WRONG_ANSWERS)('%s: the whole answer %j is 502', async (protocol, json, why) => {
  const { gateway } = await translated(protocol, { text: written(json) })
  const answer = await post(gateway, CHAT)
  expect(answer.status).toBe(502)
  expect(errorOf(answer)).toMatchObject({
    code: 'upstream_unreadable',
    type: 'api_error',
    message: `the provider’s answer cannot be read: ${why}`,
  })
  // Its connection is released, one way or the other.
  expect(gateway.poolStats()).toMatchObject({ inFlight: 0, busy: 0 })
})

const delta = (given: object) => ({ type: 'content_block_delta', index: 0, delta: given })
const WRONG_EVENTS: [(typeof PROTOCOLS)[number], unknown][] = [
  ['anthropic', { type: 'message_start', message: 'x' }],
  ['anthropic', { type: 'content_block_start', content_block: [] }],
  ['anthropic', delta({ type: 'text_delta', text: NO_WORD })],
  ['anthropic', delta({ type: 'thinking_delta', thinking: 1 })],
  ['anthropic', delta({ type: 'input_json_delta', partial_json: DEEP })],
  ['gemini', parts({ text: [] })],
  ['gemini', parts({ functionCall: { name: 'f', args: DEEP } })],
]

test.each(WRONG_EVENTS)('%s: a stream with the event %j breaks off', async (protocol, event) => {
  const begin = protocol === 'anthropic' ? delta({ type: 'text_delta', text: 'so far' }) : parts({ text: 'so far' })
  const reply: Reply = { events: [begin, event].map(written), raw: true, pauseMs: 20 }
  const { gateway } = await translated(protocol, reply)
  const answer = await post(gateway, { ...CHAT, stream: true })
  expect([answer.status, answer.broken]).toEqual([200, true])
  expect(answer.body.toString()).toContain('so far')
  expect(answer.body.toString()).not.toContain('[DONE]')
  expect(gateway.poolStats()).toMatchObject({ inFlight: 0, busy: 0 })
})
