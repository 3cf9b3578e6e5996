// Bodies so large that a worker thread parses them are judged, changed and refused as small ones are.
import { expect, test } from 'vitest'
import { parseBody } from '../../../reference-gateway/http/request-body.ts'
import { longestGapMs, timeMs } from '../support/event-loop.ts'
import { post } from '../support/harness.ts'
import { chat, echo, gatewayWith } from './support/gateway.ts'

const FILLER = 'All work and no play makes a dull text. '.repeat(2_500)
const input = (rest: Record<string, unknown>) => ({ name: 'p', type: 'input_filter', action: 'redact', ...rest })

/** In one piece with its length, or chunked without a length. */
async function send(url: string, body: string | Buffer, chunked = false): Promise<{ status: number; text: string }> {
  const bytes = Buffer.from(body)
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chunked ? new Blob([bytes]).stream() : bytes,
    ...(chunked && { duplex: 'half' }),
  })
  return { status: answer.status, text: await answer.text() }
}

test('without a match the provider gets the same bytes, however they arrived', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith(
    [input({ detect: ['email'] }), input({ name: 'q', keywords: ['xyz'] })],
    echo(asked),
  )
  const body = `{ "model":"m",  "messages":[{"role":"user","content":"caf\\u00e9 é ${FILLER}"}],"x":1.0 }`
  for (const chunked of [false, true]) expect((await send(gateway.url, body, chunked)).status).toBe(200)
  expect(asked).toEqual([body, body])
})

test('groups follow each other, and the provider gets what the last group left, all else unchanged', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith(
    [input({ patterns: ['one'], replacement: 'two' }), input({ name: 'q', patterns: ['two'], replacement: 'three' })],
    echo(asked),
  )
  const request = { ...chat(`${FILLER} one two`), temperature: 0.5 }
  expect((await post(gateway, request)).status).toBe(200)
  expect(JSON.parse(asked[0] ?? '')).toEqual({ ...chat(`${FILLER} three three`), temperature: 0.5 })
})

test('a large body is blocked, also by max_tokens', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith(
    [
      input({ action: 'block', keywords: ['launch code'] }),
      input({ name: 'long', action: 'block', max_tokens: 50_000 }),
      input({ name: 'mail', detect: ['email'] }),
    ],
    echo(asked),
  )
  expect((await post(gateway, chat(`${FILLER} Launch Code`))).body.toString()).toContain("policy 'p' blocked")
  expect((await post(gateway, chat(FILLER.repeat(3)))).body.toString()).toContain("policy 'long' blocked")
  expect((await post(gateway, chat(`${FILLER} bob@example.com`))).status).toBe(200)
  expect(asked.map((body) => JSON.parse(body))).toEqual([chat(`${FILLER} [REDACTED:email]`)])
})

test('many large bodies at the same time do not disturb each other', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith(
    [input({ detect: ['email'] }), input({ name: 'q', keywords: ['xyz'] })],
    echo(asked),
  )
  const texts = Array.from({ length: 12 }, (_, n) => `${FILLER} ${n}`)
  await Promise.all(
    texts.map((text, n) => post({ ...gateway }, chat(`${text}${n % 2 ? ' a@b.com' : ''}`), { agent: false })),
  )
  const expected = texts.map((text, n) => chat(`${text}${n % 2 ? ' [REDACTED:email]' : ''}`))
  expect(new Set(asked.map((body) => JSON.parse(body)))).toEqual(new Set(expected))
})

test('large bodies are refused for the same reasons as small ones, in the same words', async () => {
  const gateway = await gatewayWith([input({ detect: ['email'] })], echo())
  const text = JSON.stringify(FILLER)
  const refused: [string | Buffer, string][] = [
    [`{"model":"m","messages":[{"role":"user","content":${text}}]`, 'invalid_json'],
    [`[${text}]`, 'invalid_json'],
    [`{"model":"m","x":${text},"model":"n"}`, 'duplicate_key'],
    [`{"x":${text},"y":${'['.repeat(70)}${']'.repeat(70)}}`, 'too_deep'],
    [`{"model":1,"x":${text}}`, 'invalid_model'],
    [`{"model":"m","messages":[1],"x":${text}}`, 'invalid_type'],
    [
      Buffer.concat([Buffer.from(`{"model":"m","x":${text},"y":"`), Buffer.of(0xff), Buffer.from('"}')]),
      'invalid_utf8',
    ],
  ]
  for (const [body, code] of refused) {
    const answer = await send(gateway.url, body)
    const small = Buffer.from(body).toString('latin1').replace(FILLER, '')
    const twin = await send(gateway.url, Buffer.from(small, 'latin1'))
    expect(JSON.parse(answer.text).error.code).toBe(code)
    expect(answer).toEqual(twin)
  }
})

test('the cache stores large bodies like small ones, after the policies', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith([input({ detect: ['email'] })], echo(asked), { cache: { enabled: true } })
  const says = async (rest: Record<string, unknown>, text = FILLER) =>
    (await post(gateway, { ...chat(text), ...rest })).message.headers['x-kt-cache']
  expect([await says({ temperature: 0 }), await says({ temperature: 0 })]).toEqual(['miss', 'hit'])
  expect([await says({}), await says({ temperature: 0, store: true })]).toEqual(['bypass', 'bypass'])
  const redacted = [`${FILLER} a@b.com`, `${FILLER} c@d.com`]
  for (const text of redacted) expect(await says({ temperature: 0 }, text)).toBe(text === redacted[0] ? 'miss' : 'hit')
  expect(asked).toHaveLength(4)
})

test('large answers are judged, changed and refused as small ones are', async () => {
  let answer = ''
  let type = 'application/json'
  const output = (rest: Record<string, unknown>) => ({ name: 'p', type: 'output_filter', action: 'redact', ...rest })
  const gateway = await gatewayWith(
    [output({ patterns: ['one'], replacement: 'two' }), output({ name: 'q', patterns: ['two'], replacement: 'three' })],
    (_request, response) => {
      response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(answer) }).end(answer)
    },
  )
  const get = async (given: string) => {
    answer = given
    return (await post(gateway, { model: 'm' })).body.toString()
  }
  const of = (text: string) => ` {"id":9007199254740993, "choices":[{"message":{"content":"${text}"}}] }`
  expect(await get(of(`${FILLER} é one`))).toBe(of(`${FILLER} é three`))
  expect(await get(of(FILLER))).toBe(of(FILLER))
  expect(await get(of(FILLER).slice(1, -3))).toContain('upstream_unreadable')
  type = 'text/plain'
  expect(await get(`${FILLER} one`)).toBe(`${FILLER} three`)
})

test('what is redacted in a large body takes no turn of the event loop', async () => {
  const asked: string[] = []
  const gateway = await gatewayWith([input({ detect: ['email'] })], (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      asked.push(Buffer.concat(chunks).toString('latin1'))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  const keys = Array.from({ length: 150_000 }, (_, i) => `"k${i.toString(36)}":{}`)
  const body = `{"model":"m","messages":[{"role":"user","content":"a@b.com"}],"x":{${keys.join(',')}}}`
  const here = timeMs(() => expect(parseBody(Buffer.from(body), 'chat').ok).toBe(true))
  await send(gateway.url, body)
  const gap = await longestGapMs(async () => expect((await send(gateway.url, body)).status).toBe(200))
  expect(asked[1]).toBe(body.replaceAll('a@b.com', '[REDACTED:email]'))
  expect(gap).toBeLessThan(here / 2)
})
