// Output policies see every answer and every string of it, or the answer does not pass.
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { type Answer, ask, errorOf, post } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'
import { answerOf, chat, echo, gatewayWith } from './support/gateway.ts'

const MAIL = 'jane.doe@example.com'
const output = (rest: Record<string, unknown>) => ({ name: 'p', type: 'output_filter', action: 'redact', ...rest })
const input = (rest: Record<string, unknown>) => ({ ...output(rest), type: 'input_filter' })
const before = (answer: (response: ServerResponse) => unknown): Promise<RunningGateway> =>
  gatewayWith([output({ detect: ['email'] })], (_request, response) => void answer(response))
const streaming = (gateway: RunningGateway): Promise<Answer> => post(gateway, { ...chat('hi'), stream: true })

test.each<[string, Record<string, string | string[]>]>([
  ['no content type', {}],
  ['an unknown one', { 'content-type': 'application/octet-stream' }],
  ['lines of JSON', { 'content-type': 'application/x-ndjson' }],
  ['two of them', { 'content-type': 'application/json, application/octet-stream' }],
  ['text where a stream was asked for', { 'content-type': 'text/plain' }],
])('an answer of %s cannot be read, and is refused', async (_, headers) => {
  const gateway = await before((response) => response.writeHead(200, headers).end(JSON.stringify(answerOf(MAIL))))
  const answer = await streaming(gateway)
  expect([answer.status, errorOf(answer).code]).toEqual([502, 'upstream_unreadable'])
})

test('JSON that is none is refused, and so is an event of a stream that is none', async () => {
  const halved = await before((response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(`{"choices":[{"message":{"content":"${MAIL}`),
  )
  const answer = await post(halved, chat('hi'))
  expect([answer.status, errorOf(answer).code]).toEqual([502, 'upstream_unreadable'])
  const plain = await before((response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: jane.doe@\n\ndata: example.com\n\n'),
  )
  const stream = (await streaming(plain)).body.toString()
  expect(stream).toMatch(/^data: \{"error":.*"code":"upstream_unreadable"\}\}\n\n$/)
})

test('sound and answers without a body pass', async () => {
  const gateway = await before((response) => {
    if (response.req.method === 'DELETE') response.writeHead(204).end()
    else response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(Buffer.from([1, 2, 3]))
  })
  const spoken = await ask(`${gateway.url}/v1/audio/speech`, { method: 'POST' }, '{"model":"m","input":"hi"}')
  expect([spoken.status, [...spoken.body]]).toEqual([200, [1, 2, 3]])
  expect((await ask(`${gateway.url}/v1/responses/resp_1`, { method: 'DELETE' })).status).toBe(204)
})

test('stored answers, lists and errors are judged, in every member and in lists of any kind', async () => {
  const stored = {
    id: 'r',
    output: [{ type: 'mcp_call', output: MAIL, action: { query: MAIL }, results: [{ url: `mailto:${MAIL}` }] }],
    data: MAIL,
    generated_text: MAIL,
  }
  const gateway = await before((response) => answerJson(response, [stored]))
  const body = (await ask(`${gateway.url}/v1/responses/resp_1`)).body.toString()
  expect(body).toBe(JSON.stringify([stored]).replaceAll(MAIL, '[REDACTED:email]'))
})

test('events of no known type: each string goes on in its place, and holds nothing once it does not', async () => {
  const pieces = MAIL.match(/.{1,3}/g) ?? []
  const events = pieces.map((text) => `data: ${JSON.stringify({ token: { text }, log: 'a b' })}\n\n`).join('')
  const gateway = await before((response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events),
  )
  const stream = (await streaming(gateway)).body.toString()
  const said = stream
    .split('\n\n')
    .filter(Boolean)
    .map((event) => JSON.parse(event.slice(6)).token.text)
  expect(said.join('')).toBe('[REDACTED:email]')
})

const ARGUMENTS = '{"to":"jane.doe\\u0040example.com"}'

test.each([
  ['escapes in arguments', ARGUMENTS, '{"to":"[REDACTED:email]"}'],
  ['a space of no width', 'to jane.d\u200boe@exam\u00adple.com!', 'to [REDACTED:email]!'],
  ['full width', 'to jane.doe＠example.com!', 'to [REDACTED:email]!'],
  ['styled letters', '𝐣𝐚𝐧𝐞@example.com', '[REDACTED:email]'],
])('%s: found in a prompt, an answer and a stream, at every split', async (_, text, redacted) => {
  const asked: string[] = []
  const both = [input({ detect: ['email'] }), output({ name: 'q', detect: ['email'] })]
  const gateway = await gatewayWith(both, echo(asked))
  await post(gateway, chat(text))
  expect(JSON.parse(asked[0] ?? '').messages[0].content).toBe(redacted)
  const whole = await before((response) => answerJson(response, answerOf(text)))
  expect(JSON.parse((await post(whole, chat('hi'))).body.toString()).choices[0].message.content).toBe(redacted)
  const characters = Array.from({ length: text.length }, (_unit, i) => text.charAt(i))
  for (let size = 1; size <= text.length; size++) {
    const pieces: string[] = []
    for (let at = 0; at < text.length; at += size) pieces.push(characters.slice(at, at + size).join(''))
    const events = pieces.map(
      (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
    )
    const stream = await before((response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${events.join('')}data: [DONE]\n\n`),
    )
    const said = (await streaming(stream)).body.toString().split('\n\n').slice(0, -2)
    expect(said.map((event) => JSON.parse(event.slice(6)).choices[0].delta.content).join('')).toBe(redacted)
    await stream.close()
  }
})

test('digits of any script, any dash and any space count as those that a pattern names', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith([input({ detect: ['card', 'ssn'] })], echo(asked))
  await post(gateway, chat('４１１１\u00a01111\u20021111 1111, ٠٧٨–٠٥–١١٢٠'))
  expect(JSON.parse(asked[0] ?? '').messages[0].content).toBe('[REDACTED:card], [REDACTED:ssn]')
})

test('a keyword is found whichever way its letters are composed', async () => {
  const gateway = await gatewayWith([input({ action: 'block', keywords: ['café noir'] })], echo())
  for (const text of ['cafe\u0301 noir', 'café\u00a0noir', 'ＣＡＦÉ noir', 'ca\u200bfé\\nnoir']) {
    expect((await post(gateway, chat(text))).status, text).toBe(400)
  }
  expect((await post(gateway, chat('cafe noir'))).status).toBe(200)
})

test('parts of one message are one text; a replacement stands where the match begins', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith([input({ detect: ['email'] })], echo(asked))
  const parts = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }))
  await post(gateway, {
    model: 'm',
    messages: [{ role: 'user', content: parts('to jane.', 'doe@', 'example.com now') }],
  })
  const content = parts('to [REDACTED:email]', '', ' now')
  expect(asked).toEqual([JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })])
})

test('what else a request says is judged: tools, schemas, names, documents, stops, keys, small data', async () => {
  const gateway = await gatewayWith([input({ action: 'block', detect: ['email'] })], echo())
  const places = [
    { tools: [{ type: 'function', function: { name: 'f', description: MAIL } }] },
    { tools: [{ type: 'function', function: { name: 'f', parameters: { properties: { a: { enum: [MAIL] } } } } }] },
    { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { description: MAIL } } } },
    { messages: [{ role: 'user', name: MAIL, content: 'hi' }] },
    { documents: [{ text: MAIL }] },
    { stop: [MAIL] },
    { metadata: { [MAIL]: 'x' } },
    { data: MAIL },
    { file_data: `data:text/plain,${MAIL}` },
  ]
  for (const place of places) {
    expect((await post(gateway, { ...chat('hi'), ...place })).status, JSON.stringify(place)).toBe(400)
  }
  const picture = { data: Buffer.from(MAIL.repeat(9)).toString('base64'), id: MAIL }
  expect((await post(gateway, { ...chat('hi'), picture })).status).toBe(200)
})
