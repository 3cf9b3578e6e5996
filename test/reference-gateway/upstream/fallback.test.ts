import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { until } from '../../support/waits.ts'
import { gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, bodyOf, wait } from '../support/upstream.ts'

type Behaviour = (response: ServerResponse) => void

const well: Behaviour = (response) => answerJson(response, { from: 'second' })

/** A gateway with two providers for every model, and how often each was asked. */
async function two(first: Behaviour, second: Behaviour = well, settings: Record<string, unknown> = {}) {
  const asked = [0, 0]
  const a = await upstream((_request, response) => {
    asked[0] = (asked[0] ?? 0) + 1
    first(response)
  })
  const b = await upstream((_request, response) => {
    asked[1] = (asked[1] ?? 0) + 1
    second(response)
  })
  const providers = [
    { name: 'a', base_url: a.url },
    { name: 'b', base_url: b.url },
  ]
  return { gateway: await gatewayBefore('', { providers, ...settings }), asked, a, b }
}

test.each([429, 500, 503])(
  'after %i the next provider is asked, and its answer is the only one seen',
  async (status) => {
    const { gateway, asked } = await two((response) => answerJson(response, { error: {} }, status))
    const answer = await post(gateway, { model: 'm' })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body.toString())).toEqual({ from: 'second' })
    expect(asked).toEqual([1, 1])
    // The unwanted response was read to its end, so its connection is not lost.
    expect(gateway.poolStats()).toMatchObject({ open: 2, idle: 2 })
  },
)

test('an unwanted response is read to its end to save its connection, up to a limit', async () => {
  let gone = false
  const { gateway, asked } = await two((response) => {
    response.once('close', () => {
      gone = true
    })
    response.writeHead(503)
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
      response.once('drain', more)
    }
    more()
  })
  expect((await post(gateway, { model: 'm' })).status).toBe(200)
  expect(asked).toEqual([1, 1])
  await until(() => gone)
  expect(gateway.poolStats().recycled.aborted).toBe(1)
})

test('a failed connection falls back to another provider; a request that was sent does not', async () => {
  const { gateway, asked, a } = await two(well)
  await a.close()
  expect((await post(gateway, { model: 'm' })).status).toBe(200)
  expect(asked).toEqual([0, 1])

  const reset = await two((response) => response.socket?.destroy())
  expect((await post(reset.gateway, { model: 'm' })).status).toBe(502)
  expect(reset.asked).toEqual([1, 0])
})

test('after the first byte was passed on, no other provider is asked', async () => {
  const { gateway, asked } = await two((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    setTimeout(() => response.socket?.destroy(), 20)
  })
  const answer = await post(gateway, { model: 'm', stream: true })
  expect(answer.broken).toBe(true)
  expect(asked).toEqual([1, 0])
})

test('client errors, and the last provider’s failure, pass unchanged', async () => {
  const wrong = await two((response) => answerJson(response, { error: { code: 'x' } }, 400))
  expect((await post(wrong.gateway, { model: 'm' })).status).toBe(400)
  expect(wrong.asked).toEqual([1, 0])
  const both = await two(
    (response) => answerJson(response, {}, 500),
    (response) => answerJson(response.setHeader('retry-after', '7'), { error: { code: 'full' } }, 429),
  )
  const answer = await post(both.gateway, { model: 'm' })
  expect([answer.status, answer.message.headers['retry-after']]).toEqual([429, '7'])
})

test('fallback.enabled: false asks the first provider only', async () => {
  const { gateway, asked } = await two((response) => answerJson(response, {}, 500), well, {
    fallback: { enabled: false },
  })
  expect((await post(gateway, { model: 'm' })).status).toBe(500)
  expect(asked).toEqual([1, 0])
})

test('retry-after: while another provider serves the model, this one is not asked before its time', async () => {
  const { gateway, asked } = await two((response) => answerJson(response.setHeader('retry-after', '1'), {}, 429))
  for (let i = 0; i < 5; i++) expect((await post(gateway, { model: 'm' })).status).toBe(200)
  expect(asked).toEqual([1, 5])
  await post(gateway, { model: 'other' })
  expect(asked[0]).toBe(2)
  await wait(1_050)
  await post(gateway, { model: 'm' })
  expect(asked[0]).toBe(3)
})

test('retry-after: the only provider is asked again anyway, and the client sees the header', async () => {
  let asked = 0
  const only = await upstream((_request, response) => {
    asked++
    answerJson(response.setHeader('retry-after', '30'), {}, 429)
  })
  const gateway = await gatewayBefore(only.url)
  for (let i = 0; i < 2; i++) {
    const answer = await post(gateway, { model: 'm' })
    expect([answer.status, answer.message.headers['retry-after']]).toEqual([429, '30'])
  }
  expect(asked).toBe(2)
})

const BREAKER = { circuit_breaker: { enabled: true, failures: 3, open_for: '150ms' } }

test('circuit breaker: it opens after enough failures in a row, then lets one trial request through', async () => {
  let healthy = false
  const held: (() => void)[] = []
  const { gateway, asked } = await two(
    (response) => {
      if (healthy) held.push(() => answerJson(response, { from: 'first' }))
      else answerJson(response, {}, 500)
    },
    well,
    BREAKER,
  )
  for (let i = 0; i < 6; i++) expect((await post(gateway, { model: 'm' })).status).toBe(200)
  expect(asked).toEqual([3, 6])
  const [pool] = await gateway.workers.call('pool')
  expect(pool?.value).toMatchObject({ providers: [{ name: 'a', circuit: 'open', opened: 1 }, { circuit: 'closed' }] })
  healthy = true
  await wait(160)
  const trials = Array.from({ length: 5 }, () => post(gateway, { model: 'm' }))
  // While the trial is under way, the others go elsewhere.
  await until(() => held.length === 1 && asked[1] === 10)
  held.splice(0)[0]?.()
  const answers = await Promise.all(trials)
  const from = answers.map(({ body }) => JSON.parse(body.toString()).from)
  expect(from.filter((name) => name === 'first')).toHaveLength(1)
  const closed = post(gateway, { model: 'm' })
  await until(() => held.length === 1)
  held[0]?.()
  expect(JSON.parse((await closed).body.toString())).toEqual({ from: 'first' })
})

test('circuit breaker: without a provider 503 says when to retry; a failed trial opens it again', async () => {
  let asked = 0
  const only = await upstream((_request, response) => {
    asked++
    answerJson(response, {}, 500)
  })
  const gateway = await gatewayBefore(only.url, BREAKER)
  for (let i = 0; i < 3; i++) expect((await post(gateway, { model: 'm' })).status).toBe(500)
  const refused = await post(gateway, { model: 'm' })
  expect([refused.status, refused.message.headers['retry-after']]).toEqual([503, '1'])
  expect(JSON.parse(refused.body.toString()).error.code).toBe('circuit_open')
  expect(asked).toBe(3)
  await wait(160)
  expect((await post(gateway, { model: 'm' })).status).toBe(500)
  expect((await post(gateway, { model: 'm' })).status).toBe(503)
  expect(asked).toBe(4)
})

test('circuit breaker: a trial whose client left decides nothing, and the next request is a new trial', async () => {
  const held: ServerResponse[] = []
  let failing = true
  const only = await upstream((_request, response) => {
    if (failing) answerJson(response, {}, 500)
    else held.push(response)
  })
  const gateway = await gatewayBefore(only.url, BREAKER)
  for (let i = 0; i < 3; i++) await post(gateway, { model: 'm' })
  failing = false
  await wait(160)
  const leaving = new AbortController()
  const left = post(gateway, { model: 'm' }, { signal: leaving.signal }).catch(() => undefined)
  await until(() => held.length === 1)
  expect((await post(gateway, { model: 'm' })).status).toBe(503)
  leaving.abort()
  await left
  await until(() => only.open === 0)
  const next = post(gateway, { model: 'm' })
  await until(() => held.length === 2)
  held[1]?.end('{}')
  expect((await next).status).toBe(200)
})

test('circuit breaker: prompts of one tenant that make the provider fail leave the others served', async () => {
  let down = false
  const only = await upstream(async (request, response) => {
    const body = await bodyOf(request)
    if (down) answerJson(response, {}, 503)
    else answerJson(response, {}, body.includes('bad') ? 500 : 200)
  })
  const keys = ['a', 'b'].map((tenant) => ({ key: tenant, tenant }))
  const gateway = await gatewayBefore(only.url, {
    auth: { keys },
    circuit_breaker: { enabled: true, failures: 3, open_for: '60s' },
  })
  const send = async (tenant: string, prompt: string): Promise<number> =>
    (await post(gateway, { model: 'm', prompt }, { headers: { authorization: `Bearer ${tenant}` } })).status
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push(await send('a', 'bad'))
  expect(statuses).toEqual([500, 500, 500, 503])
  expect(await send('b', 'good')).toBe(200)
  // What says that the provider is down counts for all; what clients do wrong, or leave, never does.
  down = true
  for (let i = 0; i < 3; i++) expect(await send('b', 'good')).toBe(503)
  down = false
  const [pool] = await gateway.workers.call('pool')
  expect(pool?.value).toMatchObject({ providers: [{ circuit: 'open', opened: 1 }] })
  expect(await send('b', 'good')).toBe(503)
})
