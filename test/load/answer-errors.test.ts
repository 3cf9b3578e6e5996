// An error inside a 200, over a real socket: in streams and whole answers of every format.
import type { RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it, test } from 'vitest'
import { httpServer, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const answer =
  (body: string | Buffer, contentType: string, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200, { 'content-type': contentType, ...headers }).end(body))
  }

const sendTo = async (body: string | Buffer, stream: boolean, headers: Record<string, string> = {}) => {
  server = await httpServer(answer(body, stream ? 'text/event-stream' : 'application/json', headers))
  const { arm } = await run(planFor(server.origin, {}, stream))
  return arm
}

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const typed = (value: { type: string }): string => `event: ${value.type}\n${data(value)}`
const chunk = (delta: object, more: object = {}, choice: object = {}): string =>
  data({
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: null, ...choice }],
    ...more,
  })
const tokens = ['a', 'b', 'c'].map((content) => chunk({ content })).join('')
const DONE = 'data: [DONE]\n\n'
const failed = { code: 'server_error', message: 'The server had an error' }

const STREAMS: [string, string, string][] = [
  ['{error: …}', `${tokens}${data({ error: { message: 'EngineCore died', code: 500 } })}`, 'EngineCore died'],
  ['an event named error, JSON', `${tokens}event: error\n${data({ message: 'no worker', code: 503 })}`, 'no worker'],
  ['an event named error, text', `${tokens}event: error\ndata: upstream connect error\n\n`, 'upstream connect error'],
  ['an event named error, two lines', `${tokens}event: error\ndata: upstream\ndata: gone\n\n`, 'upstream gone'],
  ['an event named error after its data', `${tokens}data: {"choices":[]}\nevent: error\n\n`, '{"choices":[]}'],
  ['an event named error, its reason a comment', `${tokens}event: error\n: no worker left\n\n`, 'no worker left'],
  ['an event named error, nothing else', `${tokens}event: error\n\n`, 'an error event that says nothing'],
  ['an event named error that holds a token', `${tokens}event: error\ndata: {"choices":[1]}\n\n`, '{"choices":[1]}'],
  ['an event named error, first of all', 'event:error\r\ndata:busy\r\n\r\n', 'busy'],
  ['a flat object (vLLM)', `${tokens}${data({ object: 'error', message: 'too long', code: 400 })}`, 'too long'],
  ['a flat object with a code', `${tokens}${data({ message: 'worker lost', code: 503 })}`, 'worker lost'],
  ['an error_code', `${tokens}${data({ error_code: 'TEMPORARILY_UNAVAILABLE', message: 'later' })}`, 'later'],
  ['a choice', `${tokens}${chunk({ content: '' }, {}, { finish_reason: 'error' })}`, "finish_reason 'error'"],
  [
    'Responses: error',
    `${typed({ type: 'response.created' })}${typed({ type: 'error', ...failed })}`,
    'The server had an error',
  ],
  [
    'Responses: response.failed',
    data({ type: 'response.output_text.delta', delta: 'a' }) +
      data({ type: 'response.failed', response: { status: 'failed', error: failed } }),
    'The server had an error',
  ],
  [
    'Anthropic',
    `${data({ type: 'content_block_delta', delta: { text: 'a' } })}event: error\n` +
      data({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
    'Overloaded',
  ],
  [
    'Gemini',
    data({ candidates: [{ content: { parts: [{ text: 'a' }] } }] }) +
      data({ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }),
    'The model is overloaded.',
  ],
  ['a list (Gemini)', `${tokens}${data([{ error: { code: 503, message: 'overloaded' } }])}`, 'overloaded'],
  [
    'a choice of legacy completions',
    data({ choices: [{ index: 0, text: 'a' }] }) + data({ choices: [{ index: 0, text: '', finish_reason: 'error' }] }),
    "finish_reason 'error'",
  ],
]

describe('in a stream', () => {
  it.each(STREAMS)('%s', async (_name, events, words) => {
    const arm = await sendTo(events + DONE, true)
    expect(arm.outcomes).toEqual({ KT_STREAM_ERROR: 3 })
    expect(arm.details.KT_STREAM_ERROR).toContain(words)
  })

  it('gzipped, and without an end', async () => {
    const arm = await sendTo(gzipSync(`${tokens}event: error\n: no worker left`), true, { 'content-encoding': 'gzip' })
    expect(arm.outcomes).toEqual({ KT_STREAM_ERROR: 3 })
    expect(arm.details.KT_STREAM_ERROR).toBe('no worker left')
  })

  it('of any length is cut in its quotation', async () => {
    const arm = await sendTo(`event: error\ndata: ${'long '.repeat(1_000_000)}\n\n${DONE}`, true)
    expect(arm.details.KT_STREAM_ERROR).toMatch(/^long .{155}…$/)
  })
})

const WHOLE: [string, unknown, string][] = [
  ['{error: …}', { error: { message: 'EngineCore died' } }, 'EngineCore died'],
  ['beside choices', { choices: [{ message: { content: '' } }], error: { message: 'no credit' } }, 'no credit'],
  ['a flat object (vLLM)', { object: 'error', message: 'too long', code: 400 }, 'too long'],
  ['beside a list of data', { object: 'error', message: 'too long', data: [] }, 'too long'],
  ['a code', { message: 'worker lost', code: 503, choices: [] }, 'worker lost'],
  ['an error_code', { error_code: 'BAD_REQUEST', message: 'no such endpoint' }, 'no such endpoint'],
  ['a choice', { choices: [{ finish_reason: 'error', message: {}, error: { message: 'gone' } }] }, 'gone'],
  ['Responses', { object: 'response', status: 'failed', error: failed, output: [] }, 'The server had an error'],
  ['Responses, no reason', { object: 'response', status: 'failed', error: null, output: [] }, 'the response failed'],
  ['Anthropic', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'Overloaded'],
  ['Gemini', { error: { code: 503, message: 'The model is overloaded.' } }, 'The model is overloaded.'],
  ['in a list (Gemini)', [{ error: { code: 503, message: 'The model is overloaded.' } }], 'The model is overloaded.'],
  ['beside data', { data: [{ embedding: [1] }], error: { message: 'half of them' } }, 'half of them'],
  ['a flag', { choices: [], error: true, message: 'worker lost' }, 'worker lost'],
]

describe('in a whole answer', () => {
  it.each(WHOLE)('%s', async (_name, body, words) => {
    const arm = await sendTo(JSON.stringify(body), false)
    expect(arm.outcomes).toEqual({ KT_BAD_BODY: 3 })
    expect(arm.details.KT_BAD_BODY).toBe(words)
  })

  it('of a bad status, in a list', async () => {
    server = await httpServer((request, response) => {
      request.resume()
      request.on('end', () => response.writeHead(400).end('[{"error":{"code":400,"message":"Unknown name"}}]'))
    })
    const { arm } = await run(planFor(server.origin))
    expect(arm.details.KT_HTTP_4XX).toBe('HTTP 400: Unknown name')
  })

  it.each([
    [true, 'a whole answer, though a stream was asked for: {"choices"'],
    [false, 'a stream, though a whole answer was asked for: data: {"object"'],
  ])('that is of the other kind is called so: stream %s', async (stream, words) => {
    const body = stream ? '{"choices":[{"message":{"content":"hi"}}]}' : tokens + DONE
    const type = stream ? 'application/json' : 'text/event-stream; charset=utf-8'
    const { details } = await sendTo(body, stream, { 'content-type': type })
    expect(details[stream ? 'KT_BAD_STREAM' : 'KT_BAD_BODY']).toContain(words)
  })

  it('that should have been a stream', async () => {
    const arm = await sendTo('{"object":"error","message":"too long","code":400}', true, {
      'content-type': 'application/json',
    })
    expect(arm.outcomes).toEqual({ KT_BAD_STREAM: 3 })
    expect(arm.details.KT_BAD_STREAM).toBe('too long')
  })
})

test.each([null, false, '', 0, {}, []].map((error) => ({ error })))('%j is no error', async (member) => {
  const stream = await sendTo(['a', 'b'].map((content) => chunk({ content }, member)).join('') + DONE, true)
  expect(stream.outcomes).toEqual({ OK: 3 })
  expect(stream.tokens.events).toBe(3 * 3)
  await server?.close()
  const body = {
    choices: [{ message: { content: 'hi' } }],
    usage: { prompt_tokens: 5, completion_tokens: 3 },
    ...member,
  }
  const whole = await sendTo(JSON.stringify(body), false)
  expect(whole.outcomes).toEqual({ OK: 3 })
})
