// The cache as the gateway's clients see it: headers, streams, concurrent requests, tenants, and responses that must
// not be stored.
import { gzipSync } from 'node:zlib'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { until } from '../../support/waits.ts'
import { type Answer, ask, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, bodyOf, wait } from '../support/upstream.ts'
import { BODY } from './support.ts'

const ON = { cache: { enabled: true } }
const STREAMED = { ...BODY, stream: true, stream_options: { include_usage: true } }
const USAGE = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }

function chunk(delta: object, more: object = {}): string {
  const choices = Object.keys(delta).length > 0 ? [{ index: 0, delta, finish_reason: null }] : []
  return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'gpt-4o', choices, ...more })}\n\n`
}

const EVENTS = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Hel' }),
  chunk({ content: 'lo' }),
  chunk({}, { usage: USAGE }),
  'data: [DONE]\n\n',
]

/** A provider that counts its requests and answers as headers of the request ask. */
async function counting() {
  const seen = { asked: 0 }
  const provider = await upstream(async (request, response) => {
    const n = ++seen.asked
    const body = JSON.parse((await bodyOf(request)) || '{}')
    if (request.headers['x-slow']) await wait(Number(request.headers['x-slow']))
    if (request.headers['x-fail']) {
      answerJson(response, { error: { message: 'no' } }, 500)
      return
    }
    if (!body.stream) {
      answerJson(response, {
        n,
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' } }],
        usage: USAGE,
      })
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'set-cookie': 'a=b', 'x-request-id': 'r1' })
    for (const event of EVENTS) {
      response.write(event)
      await wait(2)
    }
    if (request.headers['x-break']) response.destroy()
    else response.end()
  })
  return { seen, provider }
}

const cacheOf = (answer: Answer) => answer.message.headers['x-kt-cache']

test('miss, hit and bypass are in a header; a hit asks no provider and reports its time', async () => {
  const { seen, provider } = await counting()
  const gateway = await gatewayBefore(provider.url, ON)
  const first = await post(gateway, BODY)
  const second = await post(gateway, BODY)
  const warm = await post(gateway, { ...BODY, temperature: 1 })
  expect([first, second, warm].map(cacheOf)).toEqual(['miss', 'hit', 'bypass'])
  expect(second.body).toEqual(first.body)
  expect(seen.asked).toBe(2)
  expect(second.message.headers['server-timing']).toMatch(/^kt-routing;dur=[\d.]+, kt-cache;dur=[\d.]+/)
  expect(second.message.headers['content-type']).toBe('application/json')
  expect(Number(second.message.headers['content-length'])).toBe(first.body.length)
})

test('without a cache there is no cache header', async () => {
  const { provider } = await counting()
  expect(cacheOf(await post(await gatewayBefore(provider.url), BODY))).toBeUndefined()
})

test('a stream is replayed as a stream with its usage, without headers of the first response', async () => {
  const { seen, provider } = await counting()
  const gateway = await gatewayBefore(provider.url, ON)
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-test', maxRetries: 0 })
  const read = async () => {
    let text = ''
    let usage: unknown
    const stream = await client.chat.completions.create(STREAMED as OpenAI.ChatCompletionCreateParamsStreaming)
    for await (const part of stream) {
      text += part.choices[0]?.delta.content ?? ''
      usage ??= part.usage
    }
    return { text, usage }
  }
  expect(await read()).toEqual({ text: 'Hello', usage: USAGE })
  expect(await read()).toEqual({ text: 'Hello', usage: USAGE })
  expect(seen.asked).toBe(1)
  const raw = await post(gateway, STREAMED, { headers: { authorization: 'Bearer sk-test' } })
  expect(raw.body.toString()).toBe(EVENTS.join(''))
  expect(cacheOf(raw)).toBe('miss')
  const again = await post(gateway, STREAMED, { headers: { authorization: 'Bearer sk-test' } })
  expect(cacheOf(again)).toBe('hit')
  expect(again.message.headers).toMatchObject({ 'content-type': 'text/event-stream' })
  expect(again.message.headers['set-cookie']).toBeUndefined()
  expect(again.message.headers['x-request-id']).toBe(again.message.headers['x-kt-request-id'])
})

test.each([BODY, STREAMED])('a hundred at once make one upstream call (%#)', async (body) => {
  const { seen, provider } = await counting()
  const gateway = await gatewayBefore(provider.url, ON)
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => post(gateway, body, { headers: { 'x-slow': '100' } })),
  )
  expect(seen.asked).toBe(1)
  expect(new Set(answers.map((answer) => answer.body.toString())).size).toBe(1)
  expect(answers.map(cacheOf).filter((what) => what === 'miss')).toHaveLength(1)
  expect(answers.map(cacheOf).filter((what) => what === 'hit')).toHaveLength(99)
})

test('no client gets the response to another client’s request', async () => {
  const { seen, provider } = await counting()
  const gateway = await gatewayBefore(provider.url, {
    ...ON,
    auth: {
      keys: [
        { key: 'key-a', tenant: 'a' },
        { key: 'key-b', tenant: 'b' },
        { key: 'key-a2', tenant: 'a' },
      ],
    },
  })
  const asking = async (key: string) =>
    cacheOf(await post(gateway, BODY, { headers: { authorization: `Bearer ${key}` } }))
  expect([await asking('key-a'), await asking('key-b'), await asking('key-a2')]).toEqual(['miss', 'miss', 'hit'])
  expect(seen.asked).toBe(2)
  const open = await gatewayBefore(provider.url, ON)
  const own = async (key: string) => cacheOf(await post(open, BODY, { headers: { authorization: `Bearer ${key}` } }))
  expect([await own('one'), await own('two'), await own('one')]).toEqual(['miss', 'miss', 'hit'])
})

test('errors and broken streams are not stored', async () => {
  const { seen, provider } = await counting()
  const gateway = await gatewayBefore(provider.url, ON)
  expect((await post(gateway, BODY, { headers: { 'x-fail': '1' } })).status).toBe(500)
  expect((await post(gateway, STREAMED, { headers: { 'x-break': '1' } })).broken).toBe(true)
  expect(cacheOf(await post(gateway, BODY))).toBe('miss')
  expect(cacheOf(await post(gateway, STREAMED))).toBe('miss')
  expect(seen.asked).toBe(4)
})

test('a response compressed unasked passes, and is not stored', async () => {
  let asked = 0
  const provider = await upstream((request, response) => {
    asked++
    expect(request.headers['accept-encoding']).toBe('identity')
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync('{}'))
  })
  const gateway = await gatewayBefore(provider.url, ON)
  for (let i = 0; i < 2; i++) expect(cacheOf(await post(gateway, BODY))).toBe('miss')
  expect(asked).toBe(2)
})

test('when the client that asks first leaves, another one asks in its place', async () => {
  const { seen, provider } = await counting()
  const gateway = await gatewayBefore(provider.url, ON)
  const abort = new AbortController()
  const slow = { headers: { 'x-slow': '150' } }
  const leaving = post(gateway, BODY, { ...slow, signal: abort.signal }).catch(() => 'left')
  await until(() => seen.asked === 1)
  const staying = [post(gateway, BODY, slow), post(gateway, BODY, slow)]
  await wait(30)
  abort.abort()
  expect(await leaving).toBe('left')
  const answers = await Promise.all(staying)
  expect(answers.map((answer) => answer.status)).toEqual([200, 200])
  expect(seen.asked).toBe(2)
})

test('waiting for another request’s response counts as upstream time, not overhead', async () => {
  const { provider } = await counting()
  const gateway = await gatewayBefore(provider.url, ON)
  const slow = { headers: { 'x-slow': '200' } }
  const [, second] = await Promise.all([post(gateway, BODY, slow), wait(20).then(() => post(gateway, BODY, slow))])
  expect(cacheOf(second)).toBe('hit')
  expect(Number(second.message.headers['x-kt-overhead-ms'])).toBeLessThan(50)
})

test('other paths and methods bypass the cache', async () => {
  const { provider } = await counting()
  const gateway = await gatewayBefore(provider.url, ON)
  const models = await ask(`${gateway.url}/v1/models`)
  expect([models.status, cacheOf(models)]).toEqual([200, 'bypass'])
})

test('a hit says its age; what the provider keeps to itself is not kept', async () => {
  const { provider } = await counting()
  const gateway = await gatewayBefore(provider.url, ON)
  const [first, second] = [await post(gateway, BODY), await post(gateway, BODY)]
  expect(first.message.headers.age).toBeUndefined()
  expect(second.message.headers.age).toBe('0')
  for (const [name, value] of [
    ['cache-control', 'no-store'],
    ['cache-control', 'no-cache, must-revalidate'],
    ['cache-control', 'max-age=60, private'],
    ['vary', '*'],
  ] as const) {
    const own = await upstream((_request, response) => {
      response.setHeader(name, value)
      answerJson(response, { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' } }] })
    })
    const before = await gatewayBefore(own.url, ON)
    expect([await post(before, BODY), await post(before, BODY)].map(cacheOf)).toEqual(['miss', 'miss'])
  }
})

test.each([
  ['no-cache', 'hit'],
  ['no-cache, no-transform', 'hit'],
  ['no-cache, no-store', 'miss'],
  ['private, no-cache', 'miss'],
])('a stream whose provider says %s is a %s when it is asked for again', async (control, second) => {
  for (const [first, last] of [
    ['cache-control', 'content-type'],
    ['content-type', 'cache-control'],
  ] as const) {
    const values = { 'cache-control': control, 'content-type': 'text/event-stream' }
    const own = await upstream((_request, response) => {
      response.writeHead(200, { [first]: values[first], [last]: values[last] }).end(EVENTS.join(''))
    })
    const gateway = await gatewayBefore(own.url, ON)
    const answers = [await post(gateway, STREAMED), await post(gateway, STREAMED)]
    expect(answers.map(cacheOf)).toEqual(['miss', second])
    expect(answers[1]?.body).toEqual(answers[0]?.body)
  }
})

test('what is collected is bounded: an answer by max_entry_size, all of them by max_size', async () => {
  const text = 'x'.repeat(3_000)
  const provider = await upstream(async (request, response) => {
    await bodyOf(request)
    answerJson(response, { choices: [{ index: 0, message: { role: 'assistant', content: text } }] })
  })
  for (const [limits, second] of [
    [{ max_entry_size: '4KB' }, 'hit'],
    [{ max_entry_size: '2KB' }, 'miss'],
    [{ max_entry_size: '4KB', max_size: '2KB' }, 'miss'],
  ] as const) {
    const gateway = await gatewayBefore(provider.url, { cache: { enabled: true, ...limits } })
    expect([await post(gateway, BODY), await post(gateway, BODY)].map(cacheOf)).toEqual(['miss', second])
  }
})
