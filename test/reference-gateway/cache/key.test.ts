// What is cached under which key. A wrong hit must be impossible, so the key covers whatever changes the response.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cacheKey, isCacheable, keyRules } from '../../../reference-gateway/cache/entry.ts'
import { type Asked, asking, BODY, settings } from './support.ts'

const rules = keyRules(settings(), 'scope')
const keyOf = (body = BODY as Record<string, unknown>, asked: Asked = {}, of = rules) =>
  cacheKey(asking(body, asked), of)

test('the same request has the same key', () => {
  expect(keyOf()).toBe(keyOf())
  expect(keyOf()).toMatch(/^[\w-]{43}$/)
})

test.each([
  ['model', 'gpt-4o-mini'],
  ['messages', [{ role: 'user', content: 'Ho' }]],
  ['tools', [{ type: 'function', function: { name: 'f' } }]],
  ['tool_choice', 'none'],
  ['response_format', { type: 'json_object' }],
  ['stop', ['\n']],
  ['seed', 7],
  ['top_p', 0.5],
  ['n', 2],
  ['max_tokens', 5],
  ['logit_bias', { 5: 1 }],
  ['stream', true],
  ['stream_options', { include_usage: true }],
  ['reasoning_effort', 'low'],
  ['user', 'u1'],
  ['something_new', 1],
])('%s is part of the key', (name, value) => {
  expect(keyOf({ ...BODY, [name]: value })).not.toBe(keyOf())
})

test('tenant, endpoint, query, headers that change a response, routes and policies are part of the key', () => {
  const keys = [
    keyOf(),
    keyOf(BODY, { tenant: 'a' }),
    keyOf(BODY, { tenant: 'b' }),
    keyOf(BODY, { headers: { authorization: 'Bearer one' } }),
    keyOf(BODY, { headers: { authorization: 'Bearer two' } }),
    keyOf(BODY, { headers: { 'x-api-key': 'one' } }),
    keyOf(BODY, { path: '/completions' }),
    keyOf(BODY, { path: '/chat/completions?beta=1' }),
    keyOf(BODY, { headers: { 'accept-encoding': 'gzip' } }),
    keyOf(BODY, { headers: { 'openai-beta': 'x' } }),
    keyOf(BODY, {}, keyRules(settings(), 'another scope')),
  ]
  expect(new Set(keys).size).toBe(keys.length)
})

test.each([
  'x-goog-api-key',
  'x-portkey-config',
  'cf-aig-authorization',
  'x-user-id',
  'x-team',
  'accept-language',
  'cookie',
])('the header %s may name an account, and is part of the key', (name) => {
  const keys = ['a', 'b'].map((value) => keyOf(BODY, { headers: { [name]: value } }))
  expect(new Set([...keys, keyOf()]).size).toBe(3)
})

test('headers of the connection, of the client’s program and of one request are not', () => {
  for (const name of ['user-agent', 'x-stainless-retry-count', 'traceparent', 'x-request-id', 'connection']) {
    expect(keyOf(BODY, { headers: { [name]: 'a' } })).toBe(keyOf())
  }
  const headers = { 'x-a': '1', 'x-b': '2' }
  expect(keyOf(BODY, { headers })).toBe(keyOf(BODY, { headers: { 'x-b': '2', 'x-a': '1' } }))
})

test('numbers that a parser rounds to the same value have different keys', () => {
  const big = asking()
  const bigger = asking()
  big.body = Buffer.from('{"model":"gpt-4o","temperature":0,"seed":9007199254740992}')
  bigger.body = Buffer.from('{"model":"gpt-4o","temperature":0,"seed":9007199254740993}')
  expect(cacheKey(big, rules)).not.toBe(cacheKey(bigger, rules))
})

describe('key_includes', () => {
  const guide = keyRules(settings({ key_includes: ['model', 'messages', 'temperature', 'max_tokens'] }), 'scope')
  const of = (more: Record<string, unknown>) => keyOf({ ...BODY, ...more }, {}, guide)

  test.each([
    ['model', 'other'],
    ['messages', [{ role: 'user', content: 'Ho' }]],
    ['max_tokens', 5],
    ['stream', true],
    ['stream_options', { include_usage: true }],
  ])('%s counts', (name, value) => {
    expect(of({ [name]: value })).not.toBe(of({}))
  })

  test.each([
    ['user', 'u1'],
    ['metadata', { a: [1, { b: 'c' }] }],
    ['seed', 7],
  ])('%s, which it leaves out, splits no entry', (name, value) => {
    expect(of({ [name]: value })).toBe(of({}))
  })

  test('the order of members does not count, a number beyond 2^53 does to its last digit', () => {
    const { messages, ...rest } = BODY
    expect(keyOf({ messages, ...rest }, {}, guide)).toBe(keyOf({ ...rest, messages }, {}, guide))
    const [big, bigger] = [asking(), asking()]
    big.body = Buffer.from('{"model":"gpt-4o","max_tokens":9007199254740992}')
    bigger.body = Buffer.from('{"model":"gpt-4o","max_tokens":9007199254740993}')
    expect(cacheKey(big, guide)).not.toBe(cacheKey(bigger, guide))
  })

  test('of a body whose keys have escapes, all counts', () => {
    const [one, other] = [asking(), asking()]
    one.body = Buffer.from('{"m\\u006fdel":"a","user":"1"}')
    other.body = Buffer.from('{"m\\u006fdel":"a","user":"2"}')
    expect(cacheKey(one, guide)).not.toBe(cacheKey(other, guide))
  })
})

test('key_includes adds headers', () => {
  const withHeader = keyRules(settings({ key_includes: ['model', 'header:User-Agent'] }), 'scope')
  expect(keyOf(BODY, { headers: { 'user-agent': 'a' } }, withHeader)).not.toBe(
    keyOf(BODY, { headers: { 'user-agent': 'b' } }, withHeader),
  )
})

test('property: two requests share a key only when tenant, path and body are the same', () => {
  const part = fc.string({ unit: 'binary', maxLength: 6 })
  const request = fc.record({ tenant: part, path: part, content: part })
  const text = (one: { tenant: string; path: string; content: string }) => JSON.stringify(one)
  fc.assert(
    fc.property(request, request, (a, b) => {
      const keys = [a, b].map(({ tenant, path, content }) => keyOf({ ...BODY, content }, { tenant, path }))
      expect(keys[0] === keys[1]).toBe(text(a) === text(b))
    }),
    { numRuns: 500 },
  )
})

describe('which requests may be cached', () => {
  const may = (body: Record<string, unknown>, asked: Asked = {}) => isCacheable(asking(body, asked), rules)

  test('temperature 0 on chat and text completions', () => {
    expect(may(BODY)).toBe(true)
    expect(may(BODY, { path: '/completions?x=1' })).toBe(true)
    expect(
      isCacheable(asking({ ...BODY, temperature: 0.5 }), keyRules(settings({ cache_when: { temperature: 0.5 } }), '')),
    ).toBe(true)
  })

  test.each([
    ['another temperature', { ...BODY, temperature: 0.1 }, {}],
    ['none, which is not 0', { model: 'm' }, {}],
    ['a temperature that is no number', { ...BODY, temperature: '0' }, {}],
    ['to be stored by the provider', { ...BODY, store: true }, {}],
    ['another endpoint', BODY, { path: '/embeddings' }],
    ['responses, which are stateful', BODY, { path: '/responses' }],
    ['another method', BODY, { method: 'DELETE' }],
    ['no-store', BODY, { headers: { 'cache-control': 'no-store' } }],
    ['no-cache', BODY, { headers: { 'cache-control': 'max-age=0, no-cache' } }],
  ])('not cached: %s', (_, body, asked) => {
    expect(may(body, asked)).toBe(false)
  })
})
