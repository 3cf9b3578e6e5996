// What one client sends, however large and whatever it is, leaves the event loop to the others.
import { expect, test } from 'vitest'
import { parseBody } from '../../../reference-gateway/http/request-body.ts'
import { longestGapMs, timeMs } from '../support/event-loop.ts'
import { ask, errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'

/** JSON that takes long to parse for its size. */
function manyKeys(bytes: number): Buffer {
  const keys = Array.from({ length: bytes / 11 }, (_, i) => `"k${i.toString(36).padStart(5, '0')}":1`)
  return Buffer.from(`{"model":"m","messages":[],"x":{${keys.join(',')}}}`)
}

test.each([
  ['announced', false],
  ['in chunks', true],
])('a body of 4 MB of keys, %s, is read beside the event loop', async (_how, chunked) => {
  let seen = 0
  const provider = await upstream((request, response) => {
    request.on('data', (chunk: Buffer) => {
      seen += chunk.length
    })
    request.on('end', () => answerJson(response, {}))
  })
  const gateway = await gatewayBefore(provider.url)
  const body = manyKeys(4e6)
  const here = timeMs(() => expect(parseBody(body, 'chat').ok).toBe(true))
  const headers = { 'content-type': 'application/json', ...(chunked && { 'transfer-encoding': 'chunked' }) }
  const send = () => ask(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers }, body)
  const gap = await longestGapMs(async () => expect((await send()).status).toBe(200))
  expect(seen).toBe(body.length)
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
