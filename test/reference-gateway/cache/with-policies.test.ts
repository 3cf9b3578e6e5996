// Cache and output policies together: the cache stores what the client was allowed to see, and nothing else.
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import { startGateway } from '../../../reference-gateway/gateway.ts'
import { startRedis } from '../../support/redis.ts'
import { type Answer, atEnd, post, upstream } from '../support/harness.ts'
import { answerJson, bodyOf } from '../support/upstream.ts'
import { BODY } from './support.ts'

const SECRET = 'ann@example.com'
const redact = { name: 'mails', type: 'output_filter', detect: ['email'], action: 'redact', policy_timeout: '20s' }
const block = { name: 'no-mails', type: 'output_filter', detect: ['email'], action: 'block', policy_timeout: '20s' }

function stream(response: ServerResponse, words: readonly string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const content of words)
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
  response.end('data: [DONE]\n\n')
}

async function leaking() {
  const seen = { asked: 0 }
  const provider = await upstream(async (request, response) => {
    seen.asked++
    const body = JSON.parse(await bodyOf(request))
    if (body.stream) stream(response, ['Write to ', 'ann@exa', 'mple.com', ' today.'])
    else
      answerJson(response, { choices: [{ index: 0, message: { role: 'assistant', content: `Write to ${SECRET}` } }] })
  })
  return { seen, url: provider.url }
}

async function gateway(url: string, policies: object[], cache: object = {}) {
  const config = gatewayConfigSchema({}).parse({
    gateway: {
      port: 0,
      admin_port: 'off',
      providers: [{ name: 'openai', base_url: url }],
      warmup: { enabled: false },
      cache: { enabled: true, ...cache },
    },
    policies,
  })
  const started = await startGateway(config)
  atEnd(() => started.close())
  return started
}

const cacheOf = (answer: Answer) => answer.message.headers['x-kt-cache']

test.each([BODY, { ...BODY, stream: true }])('a redacted response is stored redacted (%#)', async (body) => {
  const { seen, url } = await leaking()
  const one = await gateway(url, [redact])
  const [first, second] = [await post(one, body), await post(one, body)]
  expect([cacheOf(first), cacheOf(second), seen.asked]).toEqual(['miss', 'hit', 1])
  expect(second.body).toEqual(first.body)
  expect(second.body.toString()).toContain('Write to ')
  expect(second.body.toString()).not.toMatch(/ann|example/)
  expect(second.message.headers['server-timing']).not.toContain('kt-output-policy')
})

test.each([BODY, { ...BODY, stream: true }])('a blocked response is not stored (%#)', async (body) => {
  const { seen, url } = await leaking()
  const one = await gateway(url, [block])
  const answers = [await post(one, body), await post(one, body)]
  expect(answers.map(cacheOf)).toEqual(['miss', 'miss'])
  for (const answer of answers) expect(answer.body.toString()).toMatch(/"error"/)
  expect(seen.asked).toBe(2)
})

test('the key is made after input policies: two texts redacted to the same text share an entry', async () => {
  const { seen, url } = await leaking()
  const one = await gateway(url, [
    { name: 'in', type: 'input_filter', detect: ['email'], action: 'redact', policy_timeout: '20s' },
  ])
  const asking = (content: string) => post(one, { ...BODY, messages: [{ role: 'user', content }] })
  expect(cacheOf(await asking('I am a@b.org'))).toBe('miss')
  expect(cacheOf(await asking('I am c@d.org'))).toBe('hit')
  expect(cacheOf(await asking('I am nobody'))).toBe('miss')
  expect(seen.asked).toBe(2)
})

test('with Redis: a gateway with other policies never gets what this one let pass', async () => {
  const redis = await startRedis()
  atEnd(() => redis.stop())
  const shared = { backend: 'redis', redis: { url: redis.url } }
  const { url } = await leaking()
  const [open, same, careful] = [
    await gateway(url, [], shared),
    await gateway(url, [], shared),
    await gateway(url, [redact], shared),
  ]
  expect((await post(open, BODY)).body.toString()).toContain(SECRET)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(cacheOf(await post(same, BODY))).toBe('hit')
  const kept = await post(careful, BODY)
  expect(cacheOf(kept)).toBe('miss')
  expect(kept.body.toString()).not.toContain(SECRET)
})
