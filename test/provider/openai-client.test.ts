import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { answerText } from '../../src/provider/text.ts'
import { nonceWord } from '../../src/wire/nonce.ts'
import { parseStamp } from '../../src/wire/stamp.ts'
import { collect, nonce, provider } from './support.ts'

async function client(apiKey = 'any'): Promise<OpenAI> {
  const { url } = await provider({ apiKey: 'any' })
  return new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 })
}

const messages = [{ role: 'user' as const, content: `Say something plain. ${nonceWord(nonce(1))}` }]

test('a chat completion has the asked number of tokens, usage and a stamp', async () => {
  const answer = await (await client()).chat.completions.create({ model: 'gpt-4o', messages, max_completion_tokens: 9 })
  expect(answer).toMatchObject({ object: 'chat.completion', model: 'gpt-4o' })
  expect(answer.choices).toHaveLength(1)
  expect(answer.choices[0]).toMatchObject({
    index: 0,
    finish_reason: 'length',
    message: { role: 'assistant', content: answerText(9), refusal: null },
  })
  // 'Say something plain. kt' and sixteen letters: 39 bytes, a token for each four.
  expect(answer.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 9, total_tokens: 19 })
  expect(parseStamp(answer.system_fingerprint ?? '')).toMatchObject({ nonce: nonce(1), attempt: 1 })
  expect(answer._request_id).toMatch(/^req_kt/)
})

test('max_tokens is honoured too, and without a limit the provider chooses', async () => {
  const openai = await client()
  const short = await openai.chat.completions.create({ model: 'any-name', messages, max_tokens: 3 })
  const free = await openai.chat.completions.create({ model: 'any-name', messages })
  expect(short.usage?.completion_tokens).toBe(3)
  expect(free.usage?.completion_tokens).toBe(5)
  expect(free.choices[0]?.finish_reason).toBe('stop')
})

test('a stream opens with the role, has a token an event, a finish reason, and usage on request', async () => {
  const stream = await (await client()).chat.completions.create({
    model: 'gpt-4o',
    messages,
    max_completion_tokens: 40,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = await collect(stream)
  expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null })
  const texts = chunks.slice(1, -2).map((chunk) => chunk.choices[0]?.delta.content)
  expect(texts).toHaveLength(40)
  expect(texts.every(Boolean)).toBe(true)
  expect(texts.join('')).toBe(answerText(40))
  expect(chunks.at(-2)?.choices[0]).toMatchObject({ delta: {}, finish_reason: 'length' })
  expect(chunks.at(-1)?.choices).toEqual([])
  expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 40, total_tokens: 50 })
  expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
  const stamps = chunks.map((chunk) => parseStamp(chunk.system_fingerprint ?? ''))
  expect(stamps.every((stamp) => stamp?.nonce === nonce(1) && stamp.attempt === 1)).toBe(true)
})

test('a stream has no usage unless it is asked for', async () => {
  const stream = await (await client()).chat.completions.create({ model: 'gpt-4o', messages, stream: true })
  const chunks = await collect(stream)
  expect(chunks).toHaveLength(1 + 5 + 1)
  expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
})

test('legacy completions, whole and streamed', async () => {
  const openai = await client()
  const ask = { model: 'gpt-3.5-turbo-instruct', prompt: `Say. ${nonceWord(nonce(2))}`, max_tokens: 7 }
  const answer = await openai.completions.create(ask)
  expect(answer).toMatchObject({
    object: 'text_completion',
    choices: [{ text: answerText(7), index: 0, finish_reason: 'length' }],
    usage: { completion_tokens: 7 },
  })
  expect(parseStamp(answer.system_fingerprint ?? '')?.attempt).toBe(1)
  const chunks = await collect(await openai.completions.create({ ...ask, stream: true }))
  expect(chunks.map((chunk) => chunk.choices[0]?.text).join('')).toBe(answerText(7))
  expect(chunks).toHaveLength(8)
  expect(parseStamp(chunks[0]?.system_fingerprint ?? '')?.attempt).toBe(2)
})

test('embeddings: base64 as the client asks by default, floats, dimensions, several inputs, token ids', async () => {
  const openai = await client()
  const one = await openai.embeddings.create({ model: 'text-embedding-3-small', input: 'a text' })
  const floats = await openai.embeddings.create({ model: 'x', input: 'a text', encoding_format: 'float' })
  expect(one.data[0]?.embedding).toHaveLength(1_536)
  for (const [i, value] of (one.data[0]?.embedding ?? []).entries()) {
    expect(value).toBeCloseTo(floats.data[0]?.embedding[i] ?? Number.NaN, 8)
  }
  expect(Math.hypot(...(one.data[0]?.embedding ?? []))).toBeCloseTo(1, 6)
  expect(one.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 })

  const several = await openai.embeddings.create({ model: 'x', input: ['a text', 'another text'], dimensions: 256 })
  expect(several.data.map(({ index }) => index)).toEqual([0, 1])
  const [a, b] = several.data.map(({ embedding }) => embedding)
  expect(a).toHaveLength(256)
  const cosine = (a ?? []).reduce((sum, value, i) => sum + value * (b?.[i] ?? Number.NaN), 0)
  expect(Math.abs(cosine)).toBeLessThan(0.4)

  const ids = await openai.embeddings.create({
    model: 'x',
    input: [
      [1, 2, 3],
      [4, 5],
    ],
  })
  expect(ids.data).toHaveLength(2)
  expect(ids.usage.prompt_tokens).toBe(5)
})

test('embeddings carry the stamp at the top', async () => {
  const input = ['first', `last ${nonceWord(nonce(3))}`]
  const answer = await (await client()).embeddings.create({ model: 'x', input })
  const { system_fingerprint } = answer as unknown as { system_fingerprint: string }
  expect(parseStamp(system_fingerprint)).toMatchObject({ nonce: nonce(3), attempt: 1 })
})

test('models are listed, and any name is one but for the unknown', async () => {
  const openai = await client()
  const listed = await collect(await openai.models.list())
  expect(listed.length).toBeGreaterThan(0)
  expect(await openai.models.retrieve('my/own model')).toMatchObject({ id: 'my/own model', object: 'model' })
  await expect(openai.models.retrieve('gpt-unknown')).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
})

test("errors arrive as the client's own classes", async () => {
  const openai = await client()
  const unknown = openai.chat.completions.create({ model: 'unknown-model', messages })
  await expect(unknown).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  await expect(unknown).rejects.toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' })
  await expect(openai.chat.completions.create({ model: 'gpt-4o', messages: [] })).rejects.toBeInstanceOf(
    OpenAI.BadRequestError,
  )
  await expect((await client('wrong')).models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
})
