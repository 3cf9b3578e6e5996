/** The official client through the gateway, with a provider that answers in OpenAI's own shapes. */
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { until } from '../support/waits.ts'
import { gatewayBefore, upstream } from './support/harness.ts'
import { answerJson, bodyOf } from './support/upstream.ts'

const base = { id: 'chatcmpl-1', created: 1, model: 'gpt-4o-mini' }
const WORDS = ['Hel', 'lo', ' there']

async function clientOfGateway(): Promise<{ client: OpenAI; leaving: { gone: boolean } }> {
  const leaving = { gone: false }
  const provider = await upstream(async (request, response) => {
    if (request.url === '/v1/models') {
      return answerJson(response, { object: 'list', data: [{ id: 'gpt-4o-mini', object: 'model' }] })
    }
    const body = JSON.parse(await bodyOf(request))
    if (body.model === 'broken') {
      return answerJson(
        response,
        { error: { message: 'no such thing', type: 'invalid_request_error', code: 'x' } },
        400,
      )
    }
    if (request.url === '/v1/embeddings') {
      const data = [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }]
      return answerJson(response, {
        object: 'list',
        model: body.model,
        data,
        usage: { prompt_tokens: 1, total_tokens: 1 },
      })
    }
    if (!body.stream) {
      const message = { role: 'assistant', content: WORDS.join('') }
      return answerJson(response, { ...base, object: 'chat.completion', choices: [{ index: 0, message }] })
    }
    response.once('close', () => {
      leaving.gone = !response.writableFinished
    })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const content of WORDS) {
      const choices = [{ index: 0, delta: { content } }]
      response.write(`data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices })}\n\n`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (body.model !== 'endless') response.end('data: [DONE]\n\n')
  })
  const gateway = await gatewayBefore(provider.url)
  return { client: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-test', maxRetries: 0 }), leaving }
}

const messages = [{ role: 'user' as const, content: 'Hello' }]

test('chat', async () => {
  const { client } = await clientOfGateway()
  const answer = await client.chat.completions.create({ model: 'gpt-4o-mini', messages })
  expect(answer.choices[0]?.message.content).toBe('Hello there')
})

test('chat, streamed', async () => {
  const { client } = await clientOfGateway()
  const words: string[] = []
  for await (const chunk of await client.chat.completions.create({ model: 'gpt-4o-mini', messages, stream: true })) {
    words.push(chunk.choices[0]?.delta.content ?? '')
  }
  expect(words).toEqual(WORDS)
})

test('a stream that the application cancels also ends at the provider', async () => {
  const { client, leaving } = await clientOfGateway()
  for await (const _ of await client.chat.completions.create({ model: 'endless', messages, stream: true })) break
  await until(() => leaving.gone)
})

test('embeddings and models', async () => {
  const { client } = await clientOfGateway()
  const embedding = await client.embeddings.create({ model: 'e', input: 'x', encoding_format: 'float' })
  expect(embedding.data[0]?.embedding).toEqual([0.5, -0.25])
  const models = await client.models.list()
  expect(models.data.map(({ id }) => id)).toEqual(['gpt-4o-mini'])
})

test('an error of the provider, and one of the gateway, raise the client’s own exceptions', async () => {
  const { client } = await clientOfGateway()
  const refused = client.chat.completions.create({ model: 'broken', messages })
  await expect(refused).rejects.toBeInstanceOf(OpenAI.BadRequestError)
  await expect(refused).rejects.toThrow('no such thing')
  const dead = await gatewayBefore('http://127.0.0.1:1/v1')
  const through = new OpenAI({ baseURL: `${dead.url}/v1`, apiKey: 'sk-test', maxRetries: 0 })
  const failed = through.chat.completions.create({ model: 'gpt-4o-mini', messages })
  await expect(failed).rejects.toBeInstanceOf(OpenAI.InternalServerError)
  await expect(failed).rejects.toMatchObject({ status: 502, code: 'upstream_failed' })
})
