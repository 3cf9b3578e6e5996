// What a request may ask for is a list: endpoints by method, and the rights of keys.
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { type Answer, ask, errorOf, gatewayBefore, upstream } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'

interface Place {
  gateway: RunningGateway
  asked: { line: string; headers: NodeJS.Dict<string | string[]> }[]
  send(method: string, path: string, key?: string, body?: unknown): Promise<Answer>
}

async function place(keys?: unknown[]): Promise<Place> {
  const asked: Place['asked'] = []
  const { url } = await upstream((request, response) => {
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers })
    answerJson(response, {})
  })
  const providers = [{ name: 'p', base_url: url, api_key: 'sk-own' }]
  const gateway = await gatewayBefore(url, { providers, ...(keys && { auth: { keys } }) })
  const send: Place['send'] = (method, path, key, body) =>
    ask(
      `${gateway.url}/v1${path}`,
      { method, headers: { ...(key && { authorization: `Bearer ${key}` }), 'openai-organization': 'org-theirs' } },
      body === undefined ? undefined : JSON.stringify(body),
    )
  return { gateway, asked, send }
}

test('what is not on the list is not served, and goes nowhere', async () => {
  const { send, asked } = await place()
  for (const [method, path, status] of [
    ['GET', '/organization/admin_api_keys', 404],
    ['POST', '/organization/invites', 404],
    ['GET', '/anything/at/all', 404],
    ['POST', '/%66iles', 404],
    ['GET', '/..;/admin', 404],
    ['PATCH', '/models', 405],
    ['DELETE', '/chat/completions', 405],
  ] as const) {
    expect([method, path, (await send(method, path)).status]).toEqual([method, path, status])
  }
  const { message } = await send('PUT', '/chat/completions')
  expect(message.headers.allow).toBe('POST, GET, HEAD')
  expect(asked).toEqual([])
})

test('one key, or none, may ask for stored objects; several only where one of them is given the right', async () => {
  const routes = [
    ['GET', '/files'],
    ['DELETE', '/files/f1'],
    ['GET', '/responses/r1'],
    ['GET', '/chat/completions'],
    ['POST', '/fine_tuning/jobs'],
    ['DELETE', '/models/ft-x'],
    ['GET', '/threads/t/messages'],
  ] as const
  for (const keys of [undefined, [{ key: 'ka', tenant: 'a' }]]) {
    const one = await place(keys)
    for (const [method, path] of routes) expect((await one.send(method, path, 'ka')).status).toBe(200)
    expect(one.asked.every(({ headers }) => headers['openai-organization'] === undefined)).toBe(true)
  }
  const two = await place([
    { key: 'ka', tenant: 'a', endpoints: ['files', 'chat', 'stored_answers', 'responses'] },
    { key: 'kb', tenant: 'b' },
  ])
  for (const [method, path] of routes) {
    const answer = await two.send(method, path, 'kb')
    expect([path, answer.status, errorOf(answer).code]).toEqual([path, 403, 'forbidden'])
  }
  expect((await two.send('GET', '/models', 'kb')).status).toBe(200)
  expect((await two.send('GET', '/files', 'ka')).status).toBe(200)
  expect((await two.send('GET', '/models', 'ka')).status).toBe(403)
  const next = { model: 'm', input: 'hi', previous_response_id: 'r1' }
  expect((await two.send('POST', '/responses', 'ka', next)).status).toBe(200)
  expect((await two.send('POST', '/responses', 'kb', next)).status).toBe(403)
  expect((await two.send('POST', '/responses', 'kb', { model: 'm', input: 'hi' })).status).toBe(200)
})

test('a key of some models may ask for no other, whatever names it', async () => {
  const { send, asked } = await place([
    { key: 'ka', tenant: 'a', models: ['gpt-4o-mini', 'o1*'] },
    { key: 'kb', tenant: 'b' },
  ])
  for (const [path, body, status] of [
    ['/chat/completions', { model: 'gpt-4o-mini', messages: [] }, 200],
    ['/chat/completions', { model: 'o1-pro', messages: [] }, 200],
    ['/chat/completions', { model: 'gpt-4o', messages: [] }, 403],
    ['/chat/completions', { messages: [] }, 403],
    ['/models/gemini-pro:generateContent', { model: 'o1', contents: [] }, 403],
    ['/models/o1:generateContent', { contents: [] }, 200],
  ] as const) {
    expect([path, body, (await send('POST', path, 'ka', body)).status]).toEqual([path, body, status])
  }
  expect(asked).toHaveLength(3)
})

test('two keys may not share what stores objects', () => {
  const keys = ['a', 'b'].map((name) => ({ key: name, tenant: name, endpoints: ['chat', 'files'] }))
  const read = gatewayConfigSchema({}).safeParse({ gateway: { auth: { keys } } })
  expect(read.error?.issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
    ['gateway.auth.keys.1.endpoints', expect.stringContaining("one key may have 'files'")],
  ])
})

test('names of models are bounded', async () => {
  const { send, asked } = await place()
  const answer = await send('POST', '/chat/completions', undefined, { model: 'm'.repeat(257) })
  expect([answer.status, errorOf(answer).code]).toEqual([400, 'invalid_model'])
  expect((await send('POST', '/chat/completions', undefined, { model: 'm'.repeat(256) })).status).toBe(200)
  expect(asked).toHaveLength(1)
})
