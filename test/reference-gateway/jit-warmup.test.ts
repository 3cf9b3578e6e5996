import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import type { GatewayOptions } from '../../reference-gateway/gateway.ts'
import { ask, gatewayBefore, post, upstream } from './support/harness.ts'
import { answerJson } from './support/upstream.ts'

/** A gateway that begins to warm up, what its provider is asked for, and what it reports. */
async function warming(settings: object = {}, options: GatewayOptions = {}) {
  const asked: string[] = []
  const provider = await upstream((request, response) => {
    asked.push(request.url ?? '')
    answerJson(response, { choices: [] })
  })
  const problems: string[] = []
  const warmup = { jit: true, connections_per_provider: 1 }
  const gateway = await gatewayBefore(
    provider.url,
    { admin_port: 0, warmup, ...settings },
    { jitWarmup: true, report: (problem) => problems.push(problem), ...options },
  )
  return { gateway, asked, problems }
}

const readiness = async (url: string) => {
  const { status, body } = await ask(`${url}/readyz`)
  return [status, JSON.parse(body.toString())]
}

test('it is ready when it is warm, and nobody sees anything of it', async () => {
  const { gateway, asked, problems } = await warming({ cache: { enabled: true } })
  expect(await readiness(gateway.url)).toEqual([503, { ready: false, reason: 'warming up' }])
  await gateway.warmedUp
  expect(await readiness(gateway.url)).toEqual([200, { ready: true }])
  expect(asked).toEqual(['/v1/models'])
  const stats = JSON.parse((await ask(`${gateway.adminUrl}/stats`)).body.toString())
  expect(stats).toMatchObject({ requests: 0 })
  expect(problems).toEqual([])
})

test('it warms up over HTTP/2 where providers are asked so, with policies, without their webhooks', async () => {
  let webhooks = 0
  const webhook = await upstream((_request, response) => {
    webhooks++
    answerJson(response, {})
  })
  const policies = [
    { name: 'pii', type: 'output_filter', action: 'redact', kind: 'pii' },
    { name: 'hook', type: 'input_filter', action: 'block', kind: 'webhook', webhook: { url: webhook.url } },
  ]
  const problems: string[] = []
  const config = gatewayConfigSchema({}).parse({
    gateway: {
      ...{ port: 0, admin_port: 'off', upstream: { http_version: 'h2' } },
      providers: [{ name: 'gone', base_url: 'http://127.0.0.1:9' }],
      warmup: { jit: true },
    },
    policies,
  })
  expect(config.warmup.jit).toBe(true)
  const { startGateway } = await import('../../reference-gateway/gateway.ts')
  const gateway = await startGateway(config, { jitWarmup: true, report: (problem) => problems.push(problem) })
  await gateway.warmedUp
  // The warm-up of its code is over; the provider stays away.
  expect(await readiness(gateway.url)).toMatchObject([503, { reason: expect.stringContaining('gone') }])
  expect(problems.filter((problem) => problem.includes('JIT'))).toEqual([])
  expect(webhooks).toBe(0)
  await gateway.close()
})

test('a client is served meanwhile, and it ends with the gateway', async () => {
  const { gateway, asked } = await warming()
  const answers = await Promise.all(Array.from({ length: 4 }, () => post(gateway, { model: 'm', messages: [] })))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect(asked.filter((path) => path !== '/v1/models')).toHaveLength(4)
  expect(await readiness(gateway.url)).toMatchObject([503, { reason: 'warming up' }])
  await gateway.close()
  await gateway.warmedUp
})

test('without being told so by whoever starts it, and by its config, it does not', async () => {
  for (const [settings, options] of [
    [{ warmup: { jit: false, connections_per_provider: 1 } }, {}],
    [{}, { jitWarmup: false }],
  ] as const) {
    const { gateway } = await warming(settings, options)
    await gateway.warmedUp
    expect(await readiness(gateway.url)).toEqual([200, { ready: true }])
  }
})
