/** The official client through the gateway, before the simulated provider: the pair that kt brings. */
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Provider } from '../../src/provider/server.ts'
import { quickProvider } from '../support/provider.ts'
import { gatewayBefore } from './support/harness.ts'

let provider: Provider

beforeAll(async () => {
  provider = await quickProvider()
})
afterAll(() => provider.close())

async function clientThroughGateway(): Promise<OpenAI> {
  const gateway = await gatewayBefore(`${provider.url}/v1`)
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-test', maxRetries: 0 })
}

const messages = [{ role: 'user' as const, content: 'Say hello' }]

test('chat, stream with usage, embeddings, models and an error', async () => {
  const client = await clientThroughGateway()
  const chat = await client.chat.completions.create({ model: 'gpt-4o-mini', messages, max_tokens: 5 })
  expect(chat.choices[0]?.message.content).toBeTruthy()
  expect(chat.usage?.completion_tokens).toBe(5)

  const stream = await client.chat.completions.create({
    model: 'gpt-4o-mini',
    messages,
    max_tokens: 6,
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  let tokens = 0
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    tokens = chunk.usage?.completion_tokens ?? tokens
  }
  expect(text).not.toBe('')
  expect(tokens).toBe(6)

  const embeddings = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'] })
  expect(embeddings.data).toHaveLength(2)
  expect(embeddings.data[0]?.embedding.length).toBeGreaterThan(100)

  const models = await client.models.list()
  expect(models.data.length).toBeGreaterThan(0)

  const failure = client.chat.completions.create({ model: 'unknown-model', messages })
  await expect(failure).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
})
