// Input policies: what reaches the provider, what does not, and the messages.
import OpenAI, { BadRequestError } from 'openai'
import { expect, test } from 'vitest'
import { post } from '../support/harness.ts'
import { chat, echo, gatewayWith } from './support/gateway.ts'

const input = (rest: Record<string, unknown>) => ({ name: 'p', type: 'input_filter', action: 'redact', ...rest })

test('redaction: the provider gets the changed prompt, with everything else as it was', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith([input({ detect: ['email', 'card'] })], echo(asked))
  const request = {
    ...chat([
      { type: 'text', text: 'I am bob@example.com, 4111-1111-1111-1111' },
      { type: 'image_url', image_url: { url: 'https://bob@example.com/a.png' } },
    ]),
    temperature: 0.5,
    user: 'u@example.com',
  }
  await post(gateway, request)
  const expected = {
    ...chat([
      { type: 'text', text: 'I am [REDACTED:email], [REDACTED:card]' },
      { type: 'image_url', image_url: { url: 'https://[REDACTED:email]/a.png' } },
    ]),
    temperature: 0.5,
    user: '[REDACTED:email]',
  }
  expect(asked).toEqual([JSON.stringify(expected)])
})

test('a prompt in which nothing is found goes on byte for byte', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith([input({ detect: ['email'] })], echo(asked))
  const body = '{ "model":"m",  "messages":[{"role":"user","content":"caf\\u00e9 é"}],"x":1.0 }'
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(answer.status).toBe(200)
  expect(asked).toEqual([body])
  expect(answer.headers.get('server-timing')).toMatch(/kt-input-policy;dur=\d/)
})

test('a blocked prompt never reaches the provider, and the official client understands why', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith([input({ action: 'block', keywords: ['launch code'] })], echo(asked))
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const error = await client.chat.completions
    .create({ model: 'm', messages: [{ role: 'user', content: 'what is the Launch\n Code?' }] })
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(BadRequestError)
  expect(error).toMatchObject({ code: 'content_filter', message: "400 policy 'p' blocked this request" })
  expect(asked).toEqual([])
})

test('flagging passes everything on', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith([input({ action: 'flag', keywords: ['launch code'] })], echo(asked))
  expect((await post(gateway, chat('launch code'))).status).toBe(200)
  expect(JSON.parse(asked[0] ?? '')).toEqual(chat('launch code'))
})

test('text is judged everywhere: system prompts, tool results, arguments, legacy prompts, inputs', async () => {
  const gateway = await gatewayWith([input({ action: 'block', patterns: ['SECRET'] })], echo())
  const messages = [
    { role: 'system', content: 'SECRET' },
    { role: 'tool', tool_call_id: 'a', content: 'SECRET' },
    {
      role: 'assistant',
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":"SECRET"}' } }],
    },
    { role: 'user', content: [{ type: 'text', text: 'SECRET' }] },
  ]
  const bodies = [
    ...messages.map((message) => ({ model: 'm', messages: [message, { role: 'user', content: 'hi' }] })),
    { model: 'm', prompt: ['hello', 'SECRET'] },
    { model: 'm', input: [{ role: 'user', content: [{ type: 'input_text', text: 'SECRET' }] }] },
    { model: 'm', instructions: 'SECRET', input: 'hi' },
  ]
  for (const body of bodies) expect((await post(gateway, body)).status, JSON.stringify(body)).toBe(400)
})

test('max_tokens: long prompts are refused, by an estimate', async () => {
  const gateway = await gatewayWith([input({ action: 'block', max_tokens: 100 })], echo())
  expect((await post(gateway, chat('word '.repeat(75)))).status).toBe(200)
  expect((await post(gateway, chat('word '.repeat(85)))).status).toBe(400)
})

test('policies follow each other, each on what the one before left; a group judges the same text', async () => {
  const first = input({ name: 'a', patterns: ['one'], replacement: 'two' })
  const second = input({ name: 'b', patterns: ['two'], replacement: 'three' })
  const asked: string[] = []
  const inTurn = await gatewayWith([first, second], echo(asked))
  await post(inTurn, chat('one two'))
  const together = await gatewayWith(
    [first, second].map((one) => ({ ...one, parallel_group: 'g' })),
    echo(asked),
  )
  await post(together, chat('one two'))
  expect(asked.map((body) => JSON.parse(body).messages[0].content)).toEqual(['three three', 'two three'])
})

test('overlapping redactions of a group become one, named by the earlier, else by the first in the file', async () => {
  const policy = (name: string, pattern: string) =>
    input({ name, patterns: [pattern], replacement: `<${name}>`, parallel_group: 'g' })
  const asked: string[] = []
  const gateway = await gatewayWith(
    [policy('a', 'bcd'), policy('b', 'abc'), policy('c', 'xyz'), policy('d', 'xy')],
    echo(asked),
  )
  await post(gateway, chat('-abcd- -xyz-'))
  expect(JSON.parse(asked[0] ?? '').messages[0].content).toBe('-<b>- -<c>-')
})
