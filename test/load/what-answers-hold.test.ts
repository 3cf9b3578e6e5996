// What counts as an answer, over a real socket: one that holds output and came to its end.
import { afterEach, describe, expect, it, test } from 'vitest'
import { httpServer, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const sendTo = async (body: string, stream: boolean, allowEmpty = false, status = 200) => {
  server = await httpServer((request, response) => {
    request.resume()
    const type = stream ? 'text/event-stream' : 'application/json'
    request.on('end', () => response.writeHead(status, { 'content-type': type }).end(body))
  })
  const { arm } = await run(planFor(server.origin, { allowEmpty }, stream))
  return arm
}

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const chunk = (delta: object, choice: object = {}): string =>
  data({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: null, ...choice }] })
const usage = (output: number, reasoning = 0): object => ({
  usage: { prompt_tokens: 5, completion_tokens: output, completion_tokens_details: { reasoning_tokens: reasoning } },
})
const told = (output: number, reasoning = 0): string => data({ choices: [], ...usage(output, reasoning) })
const FINISH = chunk({}, { finish_reason: 'stop' })
const DONE = 'data: [DONE]\n\n'
const ROLE = chunk({ role: 'assistant', content: '' })
const whole = (message: object, more: object = usage(0)): object => ({
  choices: [{ index: 0, message, finish_reason: 'stop' }],
  ...more,
})

describe('an answer that holds nothing is KT_EMPTY', () => {
  it.each<[string, object]>([
    ['content ""', whole({ content: '' })],
    ['content null', whole({ content: null })],
    ['content null and no usage', whole({ content: null }, {})],
    ['empty parts', whole({ content: [{ type: 'text', text: '' }] })],
    ['an empty list of calls', whole({ content: null, tool_calls: [] })],
    ['no choices', { choices: [] }],
    ['tokens billed for nothing', whole({ content: '' }, usage(9))],
    ['reasoning billed beside a text that is gone', whole({ content: '' }, usage(90, 60))],
    ['a legacy completion', { choices: [{ index: 0, text: '', finish_reason: 'stop' }] }],
    ['embeddings: none', { object: 'list', data: [] }],
    ['embeddings: an empty vector', { object: 'list', data: [{ embedding: [] }] }],
    ['Responses', { object: 'response', status: 'completed', output: [{ type: 'message', content: [] }] }],
    ['Anthropic', { type: 'message', content: [{ type: 'text', text: '' }] }],
    ['Gemini', { candidates: [{ content: { parts: [{ text: '' }] }, finishReason: 'STOP' }] }],
  ])('whole, %s', async (_name, body) => {
    const arm = await sendTo(JSON.stringify(body), false)
    expect(arm.outcomes).toEqual({ KT_EMPTY: 3 })
    expect(arm.details.KT_EMPTY).toMatch(/^no text, reasoning, tool call or other output; it/)
  })

  it.each<[string, string]>([
    ['chat', ROLE + FINISH + told(0) + DONE],
    ['nothing but the end', DONE],
    ['tokens billed for nothing', ROLE + FINISH + told(9) + DONE],
    ['legacy completions', data({ choices: [{ text: '', finish_reason: 'stop' }] }) + DONE],
    [
      'Responses',
      data({ type: 'response.created', response: { output: [] } }) +
        data({ type: 'response.completed', response: { status: 'completed', output: [] } }),
    ],
    [
      'Anthropic',
      data({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
        data({ type: 'message_delta', delta: { stop_reason: 'end_turn' } }) +
        data({ type: 'message_stop' }),
    ],
    ['Gemini', data({ candidates: [{ content: { parts: [{ text: '' }] }, finishReason: 'SAFETY' }] })],
    ['events of no format that kt knows', data({ kind: 'token', said: 'Hello' }) + DONE],
  ])('streamed, %s', async (_name, events) => {
    const arm = await sendTo(events, true)
    expect(arm.outcomes).toEqual({ KT_EMPTY: 3 })
  })

  it('says what the usage tells, and which members it does not know', async () => {
    const arm = await sendTo(chunk({ thoughts: 'hm' }) + FINISH + DONE, true)
    expect(arm.details.KT_EMPTY).toBe(
      'no text, reasoning, tool call or other output; it tells no usage; members that kt does not know: delta.thoughts',
    )
  })

  it('where the run allows it, it is a success and counted', async () => {
    const arm = await sendTo(ROLE + FINISH + DONE, true, true)
    expect(arm.outcomes).toEqual({ OK: 3 })
    expect(arm.notes.empty).toBe(3)
    await server?.close()
    expect((await sendTo(JSON.stringify(whole({ content: '' })), false, true)).outcomes).toEqual({ OK: 3 })
  })

  it.each([
    [200, false, 'KT_BAD_BODY'],
    [200, true, 'KT_BAD_STREAM'],
    [204, false, 'KT_BAD_BODY'],
    [204, true, 'KT_BAD_STREAM'],
  ] as const)('no body at all is no answer even then: %i, stream %s', async (status, stream, outcome) => {
    const arm = await sendTo('', stream, true, status)
    expect(arm.outcomes).toEqual({ [outcome]: 3 })
    expect(arm.details[outcome]).toBe(`HTTP ${status} with an empty body`)
  })
})

describe('an answer without text is one all the same', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '' } }
  it.each<[string, object]>([
    ['a call', whole({ content: null, tool_calls: [call] })],
    ['the one call of old', whole({ content: null, function_call: { name: 'f', arguments: '{}' } })],
    ['a refusal', whole({ content: null, refusal: 'no' })],
    ['reasoning', whole({ content: null, reasoning_content: 'hm' })],
    ['encrypted reasoning', whole({ content: '', reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }] })],
    ['sound', whole({ content: null, audio: { id: 'a', data: 'UklGRg==' } })],
    ['a picture', whole({ content: '', images: [{ image_url: { url: 'data:image/png;base64,iVBO' } }] })],
    ['all tokens on hidden reasoning', whole({ content: '' }, usage(64, 64))],
    ['a vector', { object: 'list', data: [{ embedding: [0.5] }] }],
    ['a vector in base64', { object: 'list', data: [{ embedding: 'AAAA' }] }],
    ['Responses: a call', { object: 'response', output: [{ type: 'function_call', name: 'f', arguments: '' }] }],
    ['Responses: hidden', { object: 'response', output: [{ type: 'reasoning', encrypted_content: 'x' }] }],
    ['Anthropic: a call', { type: 'message', content: [{ type: 'tool_use', name: 'f', input: {} }] }],
    ['Anthropic: hidden', { type: 'message', content: [{ type: 'redacted_thinking', data: 'x' }] }],
    ['Gemini: a picture', { candidates: [{ content: { parts: [{ inlineData: { data: 'x' } }] } }] }],
    [
      'Gemini: all on thoughts',
      {
        candidates: [{ content: {}, finishReason: 'MAX_TOKENS' }],
        usageMetadata: { promptTokenCount: 5, thoughtsTokenCount: 60 },
      },
    ],
  ])('whole, %s', async (_name, body) => {
    expect((await sendTo(JSON.stringify(body), false)).outcomes).toEqual({ OK: 3 })
  })

  it.each<[string, string]>([
    ['a call', chunk({ tool_calls: [{ index: 0, ...call }] }) + FINISH + DONE],
    ['all tokens on hidden reasoning', ROLE + chunk({}, { finish_reason: 'length' }) + told(64, 64) + DONE],
    [
      'Responses: all of it in the last event',
      data({ type: 'response.completed', response: { output: [{ type: 'message', content: [{ text: 'hi' }] }] } }),
    ],
    [
      'Anthropic: a call',
      data({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', name: 'f', input: {} } }) +
        data({ type: 'message_stop' }),
    ],
  ])('streamed, %s', async (_name, events) => {
    expect((await sendTo(events, true)).outcomes).toEqual({ OK: 3 })
  })
})

describe('the end of a stream', () => {
  const tokens = ['a', 'b', 'c'].map((content) => chunk({ content })).join('')
  it.each<[string, string, number]>([
    ['[DONE]', tokens + FINISH + DONE, 0],
    ['[DONE] with blanks', `${tokens}${FINISH}data:  [DONE] \n\n`, 0],
    ['[DONE] twice', tokens + FINISH + DONE + DONE, 0],
    ['[DONE] before a comment and empty data', `${tokens}${DONE}: bye\n\ndata:\n\n`, 0],
    ['[DONE] without its blank line', `${tokens}data: [DONE]`, 0],
    ['a finish reason alone', tokens + FINISH, 3],
    ['a finish reason before the usage', tokens + FINISH + told(3), 3],
    ['a finish reason with the last token', tokens + chunk({ content: 'd' }, { finish_reason: 'stop' }), 3],
    [
      'Anthropic: a stop reason alone',
      data({ type: 'content_block_delta', delta: { text: 'a' } }) +
        data({ type: 'message_delta', delta: { stop_reason: 'end_turn' } }),
      3,
    ],
  ])('%s is complete', async (_name, events, unmarked) => {
    const arm = await sendTo(events, true)
    expect(arm.outcomes).toEqual({ OK: 3 })
    expect(arm.notes.unmarked).toBe(unmarked)
  })

  it.each<[string, string]>([
    ['nothing', tokens],
    ['usage, but no finish reason', tokens + told(3)],
    ['a finish reason of one choice, and a token of another', tokens + FINISH + chunk({ content: 'd' }, { index: 1 })],
    ['half an event after the finish reason', `${tokens}${FINISH}data: {"choices":[],"usa`],
    ['Anthropic: no stop reason', data({ type: 'content_block_delta', delta: { text: 'a' } })],
    ['Responses: no end', data({ type: 'response.output_text.delta', delta: 'a' })],
    ['Gemini: no finish reason', data({ candidates: [{ content: { parts: [{ text: 'a' }] } }] })],
  ])('%s is cut off', async (_name, events) => {
    expect((await sendTo(events, true)).outcomes).toEqual({ KT_TRUNCATED: 3 })
  })
})

describe('output that kt does not know', () => {
  const strange = Array.from({ length: 7 }, () => chunk({ content: '', thoughts: 'hm ' })).join('')
  const known = Array.from({ length: 3 }, () => chunk({ content: 'yes ' })).join('')

  it('is said where the usage tells more tokens than were seen', async () => {
    const arm = await sendTo(strange + known + FINISH + told(10) + DONE, true)
    expect(arm.outcomes).toEqual({ OK: 3 })
    expect(arm.notes.suspect).toEqual({ answers: 3, missedTokens: 3 * 7, members: ['delta.thoughts'] })
  })

  it('makes an answer that holds nothing else no empty one, where the usage tells of output', async () => {
    const arm = await sendTo(strange + FINISH + told(7) + DONE, true)
    expect(arm.outcomes).toEqual({ OK: 3 })
    expect(arm.notes.suspect).toEqual({ answers: 3, missedTokens: 3 * 7, members: ['delta.thoughts'] })
    await server?.close()
    const { notes } = await sendTo(JSON.stringify(whole({ content: '', thoughts: 'hm' }, usage(7))), false)
    expect(notes.suspect).toEqual({ answers: 3, missedTokens: 3 * 7, members: ['message.thoughts'] })
  })

  it('of events in no known format is named too', async () => {
    const other = Array.from({ length: 7 }, () => data({ kind: 'content-delta', said: 'hm' })).join('')
    const arm = await sendTo(other + known + FINISH + told(10) + DONE, true)
    expect(arm.notes.suspect.members).toEqual(['kind', 'said'])
  })

  it.each<[string, string]>([
    ['the tokens were all seen', strange + known + FINISH + told(3) + DONE],
    ['they fit into the characters that were seen', strange + chunk({ content: 'a'.repeat(40) }) + told(10) + DONE],
    ['they are hidden reasoning', strange + known + FINISH + told(10, 7) + DONE],
    ['there is no unknown member', known + FINISH + told(10) + DONE],
    ['what is unknown holds nothing', chunk({ extra: { refusal: null, list: [] } }) + known + told(10) + DONE],
    ['it stands beside known output', chunk({ content: 'a', thoughts: 'hm' }) + known + told(10) + DONE],
  ])('says nothing where %s', async (_name, events) => {
    const arm = await sendTo(events, true)
    expect(arm.outcomes).toEqual({ OK: 3 })
    expect(arm.notes.suspect.answers).toBe(0)
  })
})

test.each([{}, { total_tokens: 0, total_characters: 0 }, { prompt_tokens: 0, completion_tokens: 0 }])(
  'usage %j tells nothing: tokens are counted otherwise',
  async (none) => {
    const stream = await sendTo(data({ choices: [{ delta: { content: 'a b' } }], usage: none }) + DONE, true)
    expect(stream.tokens).toMatchObject({ fromUsage: 0, withoutUsage: { requests: 3 } })
    await server?.close()
    const { tokens } = await sendTo(JSON.stringify(whole({ content: 'a b' }, { usage: none })), false)
    expect(tokens).toMatchObject({ fromUsage: 0, withoutUsage: { requests: 3 } })
  },
)
