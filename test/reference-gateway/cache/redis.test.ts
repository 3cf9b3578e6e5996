// The Redis backend against a real server: shared between gateways, bounded, and never delaying a request for long.
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ResponseCache } from '../../../reference-gateway/cache/cache.ts'
import type { CacheLookup } from '../../../reference-gateway/http/hooks.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { wait } from '../support/upstream.ts'
import { asking, BODY, bodyOf, settings, storeBody } from './support.ts'

describe('with Redis', () => {
  let redis: TestRedis
  const caches: ResponseCache[] = []
  const problems: string[] = []

  async function open(given: Record<string, unknown> = {}, scope = 'scope'): Promise<ResponseCache> {
    const { redis: more = {}, ...rest } = given
    const config = settings({ backend: 'redis', redis: { url: redis.url, ...(more as object) }, ...rest })
    const cache = await ResponseCache.open(config, scope, (problem) => problems.push(problem))
    caches.push(cache)
    return cache
  }

  async function put(cache: ResponseCache, body: Record<string, unknown>, text: string): Promise<void> {
    const context = asking(body)
    storeBody(context, await cache.lookup(context), text)
    await wait(20)
  }

  beforeAll(async () => {
    redis = await startRedis()
  })
  beforeEach(async () => {
    await (await open()).clear(undefined)
  })
  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close()
    problems.length = 0
  })
  afterAll(async () => {
    await redis.stop()
  })

  test('one gateway finds what another one with the same routes and policies stored', async () => {
    const [one, two, other] = [await open(), await open(), await open({}, 'other policies')]
    await put(one, BODY, '{"id":1}')
    const found = await two.lookup(asking())
    expect(found).toMatchObject({
      kind: 'hit',
      answer: { stream: false, headers: ['content-type', 'application/json'] },
    })
    expect(bodyOf(found)).toBe('{"id":1}')
    expect((await other.lookup(asking())).kind).toBe('miss')
    expect((await two.lookup(asking(BODY, { tenant: 'b' }))).kind).toBe('miss')
    expect(await two.stats()).toMatchObject({
      backend: 'redis',
      shared: true,
      entries: 1,
      hits: 1,
      misses: 1,
      errors: 0,
    })
  })

  test('a hundred identical misses make one upstream call', async () => {
    const cache = await open()
    const contexts = Array.from({ length: 100 }, () => asking())
    const found = contexts.map((context) => cache.lookup(context))
    storeBody(contexts[0] ?? asking(), (await found[0]) ?? { kind: 'bypass' }, 'one')
    for (const follower of found.slice(1)) expect(bodyOf(await follower)).toBe('one')
    // Also while the entry is on its way to Redis.
    expect(bodyOf(await cache.lookup(asking()))).toBe('one')
    expect(await cache.stats()).toMatchObject({ misses: 1 })
  })

  test('ttl and max_entries apply in Redis as well', async () => {
    const brief = await open({ ttl: '100ms' })
    await put(brief, BODY, 'brief')
    expect((await brief.lookup(asking())).kind).toBe('hit')
    await wait(150)
    expect((await brief.lookup(asking())).kind).toBe('miss')
    expect(await brief.stats()).toMatchObject({ entries: 0 })
    const small = await open({ max_entries: 2, redis: { prefix: 'small' } })
    for (const seed of [1, 2, 3]) await put(small, { ...BODY, seed }, `${seed}`)
    expect(await small.stats()).toMatchObject({ entries: 2, evicted: 1 })
    expect((await small.lookup(asking({ ...BODY, seed: 1 }))).kind).toBe('miss')
    expect((await small.lookup(asking({ ...BODY, seed: 3 }))).kind).toBe('hit')
  })

  test('a value that is no entry is a counted miss, and the next response replaces it', async () => {
    const cache = await open()
    const client = new Redis(redis.url)
    try {
      // Other tests left entries under prefixes of their own.
      await client.flushall()
      await put(cache, BODY, 'kept')
      const [key = ''] = (await client.keys('*')).filter((one) => !one.endsWith('index'))
      /** But for when it was stored. */
      const stored = async () => String(await client.getBuffer(key)).replace(/"storedMs":\d+/, '')
      const good = await stored()
      expect(good).toContain('kept')
      const poisons = [Buffer.from('garbage'), Buffer.alloc(0), Buffer.from([255, 255, 255, 255, 1])]
      for (const [i, poison] of poisons.entries()) {
        await client.set(key, poison)
        const context = asking()
        const found = await cache.lookup(context)
        expect(found.kind).toBe('miss')
        // A bad value says nothing about the server, which is asked again at once.
        expect(await cache.stats()).toMatchObject({ errors: i + 1 })
        storeBody(context, found, 'kept')
        await wait(20)
        expect(bodyOf(await cache.lookup(asking()))).toBe('kept')
        expect(await stored()).toBe(good)
      }
      await client.del(key)
      await client.lpush(key, 'a list')
      expect((await cache.lookup(asking())).kind).toBe('miss')
    } finally {
      client.disconnect()
    }
  })

  test('clear: one model whose name is a prefix of another one’s, then all', async () => {
    const cache = await open()
    await put(cache, { ...BODY, model: 'gpt-4o' }, 'a')
    await put(cache, { ...BODY, model: 'gpt-4o-mini' }, 'b')
    await put(cache, { ...BODY, model: '*:{x}' }, 'c')
    expect(await cache.clear('gpt-4o')).toBe(1)
    expect(await cache.clear('*')).toBe(0)
    expect((await cache.lookup(asking({ ...BODY, model: 'gpt-4o-mini' }))).kind).toBe('hit')
    expect(await cache.clear(undefined)).toBe(2)
  })

  test('while the server is gone, requests go on uncached and counted, and the cache returns with it', async () => {
    const cache = await open()
    await put(cache, BODY, 'before')
    await redis.stop()
    await wait(50)
    for (let i = 0; i < 20; i++) {
      const context = asking({ ...BODY, seed: i })
      storeBody(context, await cache.lookup(context), 'meanwhile')
    }
    // After three failures requests skip the server.
    expect(await cache.stats()).toMatchObject({
      entries: null,
      errors: expect.toSatisfy((n: number) => n >= 3 && n < 10),
    })
    expect(await cache.clear(undefined)).toBeUndefined()
    expect(problems.join()).toMatch(/Redis cannot be used \(connection lost\); requests go on uncached/)
    await redis.startAgain()
    const untilMs = performance.now() + 10_000
    while ((await cache.stats()).entries === null && performance.now() < untilMs) await wait(50)
    await put(cache, BODY, 'after')
    expect(bodyOf(await cache.lookup(asking()))).toBe('after')
    expect(problems.at(-1)).toBe('Redis is back')
  })

  test('a stalled server costs a few requests its timeout, and later requests nothing', async () => {
    const cache = await open({ redis: { timeout: '200ms' } })
    await put(cache, BODY, 'kept')
    while ((await cache.stats()).entries !== 1) await wait(10)
    const { errors: before } = await cache.stats()
    const lookUp = async (): Promise<CacheLookup> => {
      const found = await cache.lookup(asking())
      if (found.kind === 'miss') found.fill.abandon()
      return found
    }
    redis.stall()
    try {
      for (let i = 0; i < 50; i++) expect((await lookUp()).kind).toBe('miss')
      // Without the pause every request would wait for the timeout, which is an error.
      expect((await cache.stats()).errors - before).toBeLessThan(25)
    } finally {
      redis.goOn()
    }
    let found = await lookUp()
    while (found.kind !== 'hit') {
      await wait(50)
      found = await lookUp()
    }
    expect(bodyOf(found)).toBe('kept')
  })

  test('no server at the start: the gateway starts, and reports it without the password', async () => {
    const cache = await open({ redis: { url: 'redis://:hunter2@127.0.0.1:1' } })
    expect((await cache.lookup(asking())).kind).toBe('miss')
    expect(problems).toHaveLength(1)
    expect(problems.join()).not.toContain('hunter2')
  })
})
