// What one client sends, however large and whatever it is, leaves the event loop to the others.
import { expect, test } from 'vitest'
import { parseBody } from '../../../reference-gateway/http/request-body.ts'
import { parseExact } from '../../../src/wire/exact-json.ts'
import { longestGapMs, timeMs } from '../support/event-loop.ts'
import { ask, errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, bodyOf } from '../support/upstream.ts'

/** JSON that takes long to parse for its size. */
function manyKeys(bytes: number): Buffer {
  const keys = Array.from({ length: bytes / 11 }, (_, i) => `"k${i.toString(36).padStart(5, '0')}":1`)
  return Buffer.from(`{"model":"m","messages":[],"x":{${keys.join(',')}}}`)
}

test.each([
  ['announced', false],
  ['in chunks', true],
])('a body of 2 MB of keys, %s, is read beside the event loop', async (_how, chunked) => {
  let seen = 0
  const provider = await upstream((request, response) => {
    request.on('data', (chunk: Buffer) => {
      seen += chunk.length
    })
    request.on('end', () => answerJson(response, {}))
  })
  const gateway = await gatewayBefore(provider.url)
  const body = manyKeys(2e6)
  const here = timeMs(() => expect(parseBody(body, 'chat').ok).toBe(true))
  const headers = { 'content-type': 'application/json', ...(chunked && { 'transfer-encoding': 'chunked' }) }
  const send = () => ask(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers }, body)
  const gap = await longestGapMs(async () => expect((await send()).status).toBe(200))
  expect(seen).toBe(3 * body.length)
  expect(gap).toBeLessThan(here / 5)
})

test('what a thread reads is refused as it is here', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const gateway = await gatewayBefore(provider.url)
  const large = 'x'.repeat(400_000)
  const twice = await ask(`${gateway.url}/v1/completions`, { method: 'POST' }, `{"a":"${large}","a":1}`)
  expect([twice.status, errorOf(twice).code]).toEqual([400, 'duplicate_key'])
  const unfit = await ask(`${gateway.url}/v1/completions`, { method: 'POST' }, `{"model":1,"a":"${large}"}`)
  expect([unfit.status, errorOf(unfit).code]).toEqual([400, 'invalid_model'])
  const unknown = await gatewayBefore('', {
    providers: [{ name: 'p', base_url: provider.url, models: ['other'] }],
  })
  const lost = await post(unknown, { model: 'm', prompt: large })
  expect([lost.status, errorOf(lost).code]).toEqual([404, 'model_not_found'])
})

test('a large request is translated beside the event loop, as a small one is', async () => {
  const asked: unknown[] = []
  const provider = await upstream(async (request, response) => {
    asked.push(JSON.parse(await bodyOf(request)))
    const usage = { input_tokens: 1, output_tokens: 1 }
    answerJson(response, { type: 'message', content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn', usage })
  })
  const gateway = await gatewayBefore('', {
    providers: [{ name: 'p', base_url: provider.url, protocol: 'anthropic' }],
  })
  const messages = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: `n ${i} 9007199254740993`,
    }))
  const send = (given: object) => post(gateway, { model: 'm', max_tokens: 5, ...given })
  expect((await send({ messages: messages(3) })).status).toBe(200)
  const large = messages(20_001)
  await send({ messages: large })
  const texts = (given: unknown) =>
    (given as { messages: { content: { text: string }[] }[] }).messages.map(({ content }) => content[0]?.text)
  expect(texts(asked[0])).toEqual(messages(3).map(({ content }) => content))
  expect(texts(asked[1])).toEqual(large.map(({ content }) => content))
  const refused = await send({ messages: large, logit_bias: { a: 1 } })
  expect([refused.status, errorOf(refused).code]).toEqual([400, 'unsupported_by_provider'])
  const keys = manyKeys(2e6)
  const here = timeMs(() => parseExact(keys.toString()))
  const gap = await longestGapMs(async () => {
    const answer = await ask(`${gateway.url}/v1/chat/completions`, { method: 'POST' }, keys)
    expect(answer.status).toBe(400)
  })
  expect(gap).toBeLessThan(here / 3)
})
