/**
 * The gateway with the simulated provider: its three wire formats, over HTTP/1.1 and HTTP/2, and the shipped config.
 */
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { startGateway } from '../../reference-gateway/gateway.ts'
import { readYaml } from '../../src/parse/file.ts'
import { type SimulatedProvider, startProvider } from '../../src/provider/server.ts'
import { nonceWord } from '../../src/wire/nonce.ts'
import { parseStamp } from '../../src/wire/stamp.ts'
import { until } from '../support/waits.ts'
import { ask, atEnd, gatewayBefore } from './support/harness.ts'
import { collect } from './support/translated.ts'

const NONCE = 'abcdefghijklmnop'
const messages = [{ role: 'user' as const, content: `Say something ${nonceWord(NONCE)}` }]

async function simulated(http2: boolean): Promise<SimulatedProvider> {
  const latency = { ttft: { kind: 'fixed', us: 5_000 }, tokenGap: { kind: 'fixed', us: 1_000 }, seed: 1 } as const
  const options = http2 ? { http2: { maxConcurrentStreams: 100 } } : {}
  const provider = await startProvider({ host: '127.0.0.1', port: 0, tokens: 8, latency, ...options })
  atEnd(() => provider.close(0))
  return provider
}

const MODELS = ['gpt-4o', 'claude-x', 'gemini-x']

test.each(['h1', 'h2'])(
  'all three protocols behind OpenAI’s, over %s: text, usage, stamps, errors',
  async (version) => {
    const { url } = await simulated(version === 'h2')
    const gateway = await gatewayBefore('', {
      upstream: { http_version: version },
      providers: [
        { name: 'openai', base_url: `${url}/v1`, models: ['gpt-*'] },
        { name: 'anthropic', base_url: `${url}/v1`, protocol: 'anthropic', models: ['claude-*'] },
        { name: 'gemini', base_url: `${url}/v1beta`, protocol: 'gemini', models: ['gemini-*'] },
      ],
    })
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'k', maxRetries: 0 })
    const wholes: unknown[] = []
    for (const model of MODELS) {
      const whole = await client.chat.completions.create({ model, messages, max_tokens: 6 })
      expect(parseStamp(whole.system_fingerprint ?? '')).toMatchObject({ nonce: NONCE })
      const stream = await client.chat.completions.create({
        model,
        messages,
        max_tokens: 6,
        stream: true,
        stream_options: { include_usage: true },
      })
      const chunks = await collect(stream)
      const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
      expect(text).toBe(whole.choices[0]?.message.content)
      expect(chunks.at(-1)?.usage).toEqual(whole.usage)
      expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length')
      const stamps = chunks.map(({ system_fingerprint: stamp }) => parseStamp(stamp ?? '')?.providerUs ?? -1)
      expect(stamps.every((us, index) => us >= (stamps[index - 1] ?? 0))).toBe(true)
      wholes.push([text, whole.usage?.prompt_tokens, whole.usage?.completion_tokens])
      await expect(client.chat.completions.create({ model, messages, max_tokens: -1 })).rejects.toThrow(
        OpenAI.BadRequestError,
      )
    }
    expect(wholes[1]).toEqual(wholes[0])
    expect(wholes[2]).toEqual(wholes[0])
  },
)

test.each([true, false])('the config that ships serves as it stands (provider with HTTP/2: %s)', async (http2) => {
  const provider = await simulated(http2)
  const path = fileURLToPath(new URL('../../reference-gateway/gateway.yaml', import.meta.url))
  const shipped = readYaml(path, gatewayConfigSchema({}), 'gateway config')
  const [first] = shipped.providers
  const reports: string[] = []
  const gateway = await startGateway(
    { ...shipped, port: 0, adminPort: 0, providers: [{ ...first, origin: provider.url }] },
    { drainMs: 500, report: (problem) => reports.push(problem) },
  )
  atEnd(() => gateway.close())
  await gateway.warmedUp
  await until(() => gateway.poolStats().idle === 4)
  expect((await ask(`${gateway.url}/readyz`)).status).toBe(200)
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'k', maxRetries: 0 })
  const create = () => client.chat.completions.create({ model: 'm', messages, temperature: 0 }).withResponse()
  const cacheOf = async () => (await create()).response.headers.get('x-kt-cache')
  expect(await cacheOf()).toBe('miss')
  expect(await cacheOf()).toBe('hit')
  const stream = await client.chat.completions.create({ model: 'm', messages, stream: true })
  const chunks = await collect(stream)
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).not.toBe('')
  const { response } = await client.chat.completions.create({ model: 'm', messages }).withResponse()
  expect(response.headers.get('server-timing')).toMatch(/kt-acquire;.*kt-output-policy;.*kt-hold;.*kt-overhead;/)
  expect(gateway.poolStats()).toMatchObject({ open: 4, opened: 4 })
  expect(reports.length).toBe(http2 ? 0 : 1)
  expect((await ask(`${gateway.adminUrl}/metrics`)).status).toBe(200)
})
