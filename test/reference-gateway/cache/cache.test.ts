// The memory backend: hit, miss and single flight, what is stored and what is not, limits and clearing.
import { expect, test } from 'vitest'
import { ResponseCache } from '../../../reference-gateway/cache/cache.ts'
import { wait } from '../support/upstream.ts'
import { asking, BODY, bodyOf, completion, fillOf, settings, storeBody } from './support.ts'

const open = (given: Record<string, unknown> = {}) => ResponseCache.open(settings(given), 'scope', () => {})
const TOKEN = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
const STREAM = `${TOKEN}data: [DONE]\n\n`

test('a miss, then hits until the ttl', async () => {
  const cache = await open({ ttl: '200ms' })
  const first = asking()
  storeBody(first, await cache.lookup(first), '{"id":1}')
  expect(bodyOf(await cache.lookup(asking()))).toBe('{"id":1}')
  await wait(260)
  expect((await cache.lookup(asking())).kind).toBe('miss')
})

test('tenants do not share entries', async () => {
  const cache = await open()
  const mine = asking(BODY, { tenant: 'a' })
  storeBody(mine, await cache.lookup(mine), 'secret')
  expect((await cache.lookup(asking(BODY, { tenant: 'b' }))).kind).toBe('miss')
  expect((await cache.lookup(asking())).kind).toBe('miss')
  expect(bodyOf(await cache.lookup(asking(BODY, { tenant: 'a' })))).toBe('secret')
})

test('a hundred identical misses make one upstream call, and 99 requests wait as for the provider', async () => {
  const cache = await open()
  const contexts = Array.from({ length: 100 }, () => asking())
  const [leader, ...followers] = contexts.map((context) => cache.lookup(context))
  const first = contexts[0] ?? asking()
  await wait(30)
  storeBody(first, (await leader) ?? { kind: 'bypass' }, 'one')
  for (const follower of followers) expect(bodyOf(await follower)).toBe('one')
  expect(await cache.stats()).toMatchObject({ hits: 99, coalesced: 99, misses: 1, stored: 1, entries: 1 })
  expect(contexts.at(-1)?.timings.upstreamMs).toBeGreaterThan(20)
})

test('when the leader’s client leaves, the next request leads', async () => {
  const cache = await open()
  const [first, second, third] = [asking(), asking(), asking()]
  const fill = fillOf(await cache.lookup(first))
  const [taking, waiting] = [cache.lookup(second), cache.lookup(third)]
  first.abort()
  fill.abandon()
  storeBody(second, await taking, 'from the second')
  expect(bodyOf(await waiting)).toBe('from the second')
  expect(bodyOf(await cache.lookup(asking()))).toBe('from the second')
})

test('when the leader’s response cannot be shared, each request asks, and a successful one is stored', async () => {
  const cache = await open()
  const [first, second, third] = [asking(), asking(), asking()]
  const fill = fillOf(await cache.lookup(first))
  const others = [cache.lookup(second), cache.lookup(third)]
  first.status = 500
  fill.abandon()
  const [one, two] = await Promise.all(others)
  expect([one?.kind, two?.kind]).toEqual(['miss', 'miss'])
  storeBody(third, two ?? { kind: 'bypass' }, 'third time lucky')
  expect(bodyOf(await cache.lookup(asking()))).toBe('third time lucky')
})

test('a follower that leaves neither holds up others nor gets a response', async () => {
  const cache = await open()
  const [first, second] = [asking(), asking()]
  const fill = fillOf(await cache.lookup(first))
  const waiting = cache.lookup(second)
  second.abort()
  expect((await waiting).kind).toBe('bypass')
  first.abort()
  fill.abandon()
  expect((await cache.lookup(asking())).kind).toBe('miss')
})

test.each([
  ['another status', 201, completion('a'), false],
  ['an empty body', 200, '', false],
  ['a web page', 200, '<html>please log in</html>', false],
  ['half an answer', 200, completion('a').slice(0, -2), false],
  ['an answer of no format', 200, '{}', false],
  ['an error with a good status', 200, '{"error":{"message":"overloaded"}}', false],
  ['an error of another shape', 200, '{"object":"error","message":"overloaded","code":429}', false],
  ['an answer whose choice ended in an error', 200, '{"choices":[{"finish_reason":"error"}]}', false],
  ['an answer that holds nothing', 200, completion(''), false],
  ['a stream that holds nothing', 200, 'data: {"choices":[]}\n\ndata: [DONE]\n\n', true],
  ['a stream without its end', 200, TOKEN, true],
  ['a stream that goes on after its end', 200, `${STREAM}data: {"choices":[]}\n\n`, true],
  ['a stream with an error in it', 200, `data: {"error":{"message":"a"}}\n\n${STREAM}`, true],
  ['a stream whose error is spaced', 200, `data: { "error" : "a" }\n\n${STREAM}`, true],
  ['a stream whose error comes second', 200, `data: {"id":"x","error":{"code":502},"choices":[]}\n\n${STREAM}`, true],
  ['a stream whose choice ended in an error', 200, `data: {"choices":[{"finish_reason":"error"}]}\n\n${STREAM}`, true],
  ['a stream with an error of another shape', 200, `data: {"object":"error","message":"a"}\n\n${STREAM}`, true],
  ['a stream with an event named error', 200, `event: error\ndata: {"a":1}\n\n${STREAM}`, true],
  ['a stream with half an event', 200, `data: {"choices":[{"del\n\n${STREAM}`, true],
])('not stored: %s', async (_, status, body, stream) => {
  const cache = await open()
  const context = asking()
  const fill = fillOf(await cache.lookup(context))
  context.status = status
  fill.store({ headers: [], body: Buffer.from(body), stream })
  expect((await cache.lookup(asking())).kind).toBe('miss')
  expect(await cache.stats()).toMatchObject({ stored: 0, entries: 0 })
})

test('a response that passed a policy only by its timeout is neither stored nor shared', async () => {
  const cache = await open()
  const [first, second] = [asking(), asking()]
  const [found, waiting] = [await cache.lookup(first), cache.lookup(second)]
  first.policies = { pii: 'timeout' }
  storeBody(first, found, 'unchecked')
  expect((await waiting).kind).toBe('miss')
  expect(await cache.stats()).toMatchObject({ stored: 0, entries: 0 })
})

test.each([
  STREAM,
  // Some providers put an empty error into good events.
  `data: {"error":null,"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n: alive\n\ndata:\n\n${STREAM}`,
  'data: {"choices":[{"delta":{"content":"a"}}]}\r\n\r\ndata:[DONE]',
  // A call without arguments is an answer.
  'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f"}}]}}]}\n\ndata: [DONE]\n\n',
])('a complete stream is stored as it was: %j', async (stream) => {
  const cache = await open()
  const context = asking()
  storeBody(context, await cache.lookup(context), stream, true)
  const found = await cache.lookup(asking())
  expect(found).toMatchObject({ kind: 'hit', answer: { stream: true, headers: ['content-type', 'text/event-stream'] } })
  expect(bodyOf(found)).toBe(stream)
})

test('max_entries drops the least recently used; above max_entry_size a response is only shared', async () => {
  const cache = await open({ max_entries: 2, max_entry_size: '1KB' })
  for (const seed of [1, 2]) {
    const context = asking({ ...BODY, seed })
    storeBody(context, await cache.lookup(context), `answer ${seed}`)
  }
  await cache.lookup(asking({ ...BODY, seed: 1 }))
  const third = asking({ ...BODY, seed: 3 })
  storeBody(third, await cache.lookup(third), 'answer 3')
  expect((await cache.lookup(asking({ ...BODY, seed: 1 }))).kind).toBe('hit')
  expect((await cache.lookup(asking({ ...BODY, seed: 2 }))).kind).toBe('miss')
  expect(await cache.stats()).toMatchObject({ entries: 2, evicted: 1 })
  const large = asking({ ...BODY, seed: 4 })
  const found = await cache.lookup(large)
  const waiting = cache.lookup(asking({ ...BODY, seed: 4 }))
  storeBody(large, found, 'x'.repeat(2_000))
  expect(bodyOf(await waiting)).toHaveLength(2_000)
  expect((await cache.lookup(asking({ ...BODY, seed: 4 }))).kind).toBe('miss')
})

test('max_size bounds the memory whatever max_entries says', async () => {
  const cache = await open({ max_size: '100KB' })
  for (let seed = 0; seed < 50; seed++) {
    const context = asking({ ...BODY, seed })
    storeBody(context, await cache.lookup(context), 'x'.repeat(10_000))
  }
  const stats = await cache.stats()
  expect(stats.bytes).toBeLessThanOrEqual(100 * 1024)
  expect(stats.entries).toBeGreaterThan(5)
})

test('clear removes all entries or one model’s, and a request from before it is not stored after it', async () => {
  const cache = await open()
  for (const model of ['gpt-4o', 'gpt-4o', 'other']) {
    const context = asking({ ...BODY, model, seed: Math.random() })
    storeBody(context, await cache.lookup(context), model)
  }
  expect(await cache.clear('gpt-4o')).toBe(2)
  expect(await cache.stats()).toMatchObject({ entries: 1 })
  expect(await cache.clear(undefined)).toBe(1)
  const early = asking()
  const found = await cache.lookup(early)
  await cache.clear(undefined)
  const late = asking()
  const fill = fillOf(await cache.lookup(late))
  storeBody(early, found, 'too old')
  late.aborted = true
  fill.abandon()
  expect((await cache.lookup(asking())).kind).toBe('miss')
})
