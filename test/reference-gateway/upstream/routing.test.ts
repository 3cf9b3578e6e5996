import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, type Upstream } from '../support/upstream.ts'

/** Providers that answer with their own name, as `config` lists them, and a gateway in front of them. */
async function providers(config: Record<string, object>): Promise<{ gateway: RunningGateway; asked: string[] }> {
  const asked: string[] = []
  const all: Upstream[] = []
  for (const name of Object.keys(config)) {
    all.push(
      await upstream((_request, response) => {
        asked.push(name)
        answerJson(response, { name })
      }),
    )
  }
  const gateway = await gatewayBefore('', {
    providers: Object.entries(config).map(([name, rest], index) => ({ name, base_url: all[index]?.url, ...rest })),
  })
  return { gateway, asked }
}

test('an exact name wins over the longest prefix, a prefix over a shorter one, any prefix over *', async () => {
  const { gateway, asked } = await providers({
    any: { models: ['*'] },
    short: { models: ['gpt-*'] },
    long: { models: ['gpt-4o-*'] },
    exact: { models: ['gpt-4o-mini'] },
  })
  for (const model of ['gpt-4o-mini', 'gpt-4o-max', 'gpt-3.5', 'claude']) {
    expect((await post(gateway, { model })).status).toBe(200)
  }
  expect(asked).toEqual(['exact', 'long', 'short', 'any'])
})

test('among equals the order of the file decides; a body without a model goes to the first', async () => {
  const { gateway, asked } = await providers({ a: { models: ['x'] }, b: { models: ['x'] } })
  for (const body of [{ model: 'x' }, { model: 'x' }, {}]) await post(gateway, body)
  expect(asked).toEqual(['a', 'a', 'a'])
})

test('weights share requests exactly in proportion, over all models of a pattern', async () => {
  const { gateway, asked } = await providers({
    a: { models: ['m-*'], weight: 3 },
    b: { models: ['m-*'] },
    c: { models: ['m-*'], weight: 1 },
  })
  for (let i = 0; i < 20; i++) await post(gateway, { model: i % 2 === 0 ? 'm-1' : 'm-2' })
  const count = (name: string) => asked.filter((one) => one === name).length
  expect([count('a'), count('b'), count('c')]).toEqual([12, 4, 4])
  // Smooth: the provider with the most weight does not get its whole share in one burst.
  expect(asked.join('')).not.toContain('aaaa')
})

test('a model that no provider serves is refused', async () => {
  const { gateway } = await providers({ a: { models: ['gpt-*'] } })
  const answer = await post(gateway, { model: 'claude' })
  expect(answer.status).toBe(404)
  expect(JSON.parse(answer.body.toString()).error.code).toBe('model_not_found')
})
