// A reload: keys, providers and policies are those of the new config at once, and no stream is lost.
import { once } from 'node:events'
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { until } from '../support/waits.ts'
import { ask, errorOf, gatewayBefore, post, upstream } from './support/harness.ts'
import { answerJson } from './support/upstream.ts'

const configOf = (url: string, more: Record<string, unknown> = {}, policies: unknown[] = []) =>
  gatewayConfigSchema({}).parse({
    gateway: { port: 0, providers: [{ name: 'p', base_url: url }], warmup: { enabled: false }, ...more },
    policies,
  })

test('what began ends by the old config, what begins goes by the new one', async () => {
  let finish: (() => void) | undefined
  const old = await upstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    finish = () => response.end('data: 2\n\n')
  })
  const fresh = await upstream((_request, response) => answerJson(response, { from: 'fresh' }))
  const gateway = await gatewayBefore(old.url)
  let text = ''
  const asking = request(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false })
  asking.end('{"model":"m","stream":true}')
  const [message] = await once(asking, 'response')
  message.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const ended = once(message, 'end')
  await until(() => text !== '')
  const keys = [{ key: 'k', tenant: 't' }]
  const policy = { name: 'p', type: 'input_filter', action: 'block', keywords: ['secret'] }
  await gateway.reload(configOf(fresh.url, { auth: { keys }, port: 1 }, [policy]))
  expect((await post(gateway, { model: 'm' })).status).toBe(401)
  const headers = { authorization: 'Bearer k' }
  expect(JSON.parse((await post(gateway, { model: 'm' }, { headers })).body.toString())).toEqual({ from: 'fresh' })
  expect((await post(gateway, { model: 'm', prompt: 'secret' }, { headers })).status).toBe(400)
  finish?.()
  await ended
  expect(text).toBe('data: 1\n\ndata: 2\n\n')
  // Nothing of the old config is left.
  await until(() => old.open === 0)
  expect((await ask(`${gateway.url}/readyz`)).status).toBe(200)
})

test('requests that began with the old config count towards the new limit', async () => {
  const provider = await upstream((_request, response) => void response.writeHead(200).flushHeaders())
  const gateway = await gatewayBefore(provider.url)
  const asking = request(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false })
  asking.end('{"model":"m","stream":true}')
  await once(asking, 'response')
  await gateway.reload(configOf(provider.url, { limits: { max_in_flight: 1 } }))
  const second = await post(gateway, { model: 'm' })
  expect([second.status, errorOf(second).code]).toEqual([503, 'overloaded'])
  asking.on('error', () => {}).destroy()
})

test('a config that a process cannot serve by changes nothing', async () => {
  const provider = await upstream((_request, response) => answerJson(response, { from: 'old' }))
  const gateway = await gatewayBefore(provider.url)
  const bad = configOf('http://127.0.0.1:1/v1', {}, [
    { name: 'p', type: 'input_filter', action: 'block', keywords: ['secret'] },
  ])
  const broken = { ...bad, policies: bad.policies.map((policy) => ({ ...policy, kind: 'none' as never })) }
  await expect(gateway.reload(broken)).rejects.toThrow()
  expect(JSON.parse((await post(gateway, { model: 'm' })).body.toString())).toEqual({ from: 'old' })
})
