// The official clients talk to a recorder, and later to the cassette that it wrote.
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { answerText } from '../../../src/provider/text.ts'
import { collect, fixedLatency, provider } from '../support.ts'
import { record, replay } from './support.ts'

const KEY = 'sk-a-key-that-nobody-may-see'
const messages = [{ role: 'user' as const, content: 'Say something plain.' }]

test('the openai client hears from a cassette what the provider said: whole, streamed, embeddings', async () => {
  const { url } = await provider({ latency: fixedLatency(8, 1), tokens: 12 })
  const recording = await record(url)
  const ask = async (baseUrl: string) => {
    const openai = new OpenAI({ apiKey: KEY, baseURL: `${baseUrl}/v1`, maxRetries: 0 })
    const whole = await openai.chat.completions.create({ model: 'gpt-4o', messages })
    const options = { model: 'gpt-4o', messages, stream_options: { include_usage: true } }
    const chunks = await collect(await openai.chat.completions.create({ ...options, stream: true }))
    const responses = await collect(await openai.responses.create({ model: 'gpt-5', input: 'Say.', stream: true }))
    const embeddings = await openai.embeddings.create({ model: 'e', input: 'a text', dimensions: 8 })
    return { whole, chunks, responses, embeddings }
  }
  const heard = await ask(recording.recorder.url)
  const answers = await recording.end()
  expect(answers.map(({ request }) => [request.kind, request.stream, request.model])).toEqual([
    ['openai-chat', false, 'gpt-4o'],
    ['openai-chat', true, 'gpt-4o'],
    ['openai-responses', true, 'gpt-5'],
    ['openai-embeddings', false, 'e'],
  ])
  const played = await replay(recording.path)
  const again = await ask(played.url)
  expect(again).toEqual(heard)
  expect(again.whole.choices[0]?.message.content).toBe(answerText(12))
  expect(again.chunks.at(-1)?.usage?.completion_tokens).toBe(12)
  expect(played.stats().played).toMatchObject({ exact: 4, nearest: 0, unanswered: 0 })
  expect(played.notes).toEqual([])
})

test('the anthropic client does too, and its own errors are its own errors again', async () => {
  const { url } = await provider({ latency: fixedLatency(8, 1), tokens: 12, apiKey: KEY })
  const recording = await record(url)
  const ask = async (baseURL: string) => {
    const anthropic = new Anthropic({ apiKey: KEY, baseURL, maxRetries: 0 })
    const wanted = { model: 'claude-any', max_tokens: 12, messages }
    const whole = await anthropic.messages.create(wanted)
    const final = await anthropic.messages.stream(wanted).finalMessage()
    const wrong = new Anthropic({ apiKey: 'another-key', baseURL, maxRetries: 0 })
    const refused = await wrong.messages.create({ ...wanted, max_tokens: 3 }).catch((error: unknown) => error)
    return { whole, final, refused }
  }
  const heard = await ask(recording.recorder.url)
  expect(heard.refused).toBeInstanceOf(Anthropic.AuthenticationError)
  await recording.end()
  const again = await ask((await replay(recording.path)).url)
  expect([again.whole, again.final]).toEqual([heard.whole, heard.final])
  expect(again.final.content).toMatchObject([{ type: 'text', text: answerText(12) }])
  expect(again.refused).toBeInstanceOf(Anthropic.AuthenticationError)
  expect(recording.text()).not.toContain(KEY)
  expect(recording.text()).not.toContain('another-key')
})
