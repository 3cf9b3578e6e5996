import { expect, test } from 'vitest'
import { PLAIN_SHAPE } from '../../src/provider/api.ts'
import { answerText } from '../../src/provider/text.ts'
import { parseStamp } from '../../src/wire/stamp.ts'
import { streamObjects } from '../support/streams.ts'
import { contentsWith, eventsOf, nonce, placesOf, post, provider, truthOf, watched } from './support.ts'

const WHOLE = '/v1beta/models/gemini-3-pro:generateContent'
const STREAM = '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse'
const shape = { ...PLAIN_SHAPE, tokensPerEvent: { min: 10, max: 20 } }

test('an answer has the asked number of tokens, usage and a stamp', async () => {
  const target = await provider({ reasoningTokens: 7 })
  const response = await post(target.url + WHOLE, contentsWith(nonce(1), 9))
  const answer = (await response.json()) as { system_fingerprint: string }
  expect(answer).toMatchObject({
    candidates: [
      { content: { role: 'model', parts: [{ text: answerText(9) }] }, finishReason: 'MAX_TOKENS', index: 0 },
    ],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 9, thoughtsTokenCount: 7, totalTokenCount: 26 },
    modelVersion: 'gemini-3-pro',
  })
  expect(parseStamp(answer.system_fingerprint)).toMatchObject({ nonce: nonce(1), attempt: 1 })
  expect(await truthOf(target)).toMatchObject([{ nonce: nonce(1), tokens: 9, status: 200, stream: false }])
})

test('a stream has many tokens an event, usage so far in each, CRLF, and no end mark', async () => {
  const target = await provider({ shape })
  const text = await (await post(target.url + STREAM, contentsWith(nonce(1), 100))).text()
  expect(text).not.toMatch(/[^\r]\n|\[DONE\]/)
  const counts = eventsOf(text).map(({ json }) => (json.usageMetadata as Record<string, number>).candidatesTokenCount)
  expect(counts.length).toBeGreaterThanOrEqual(100 / 20 + 1)
  expect(counts.length).toBeLessThanOrEqual(100 / 10 + 2)
  expect(counts).toEqual(counts.toSorted((a = 0, b = 0) => a - b))
  expect(counts.at(-1)).toBe(100)
  const watch = watched(text)
  expect(watch).toMatchObject({ ended: true, error: undefined, garbage: undefined })
  expect(watch.usage).toEqual({ input: 10, output: 100, reasoning: 0, cached: 0, cacheWritten: 0 })
  expect(watch.stamps.every((stamp) => stamp?.nonce === nonce(1))).toBe(true)
})

test('the events of a request are cut in the same places every time', async () => {
  const target = await provider({ shape })
  const textsOf = async (index: number) =>
    eventsOf(await (await post(target.url + STREAM, contentsWith(nonce(index), 100))).text()).map(
      ({ json }) => (json.candidates as { content: { parts: { text: string }[] } }[])[0]?.content.parts[0]?.text,
    )
  const first = await textsOf(1)
  expect(first.join('')).toBe(answerText(100))
  expect(await textsOf(1)).toEqual(first)
  expect(await textsOf(2)).not.toEqual(first)
})

test('either spelling of a name is read', async () => {
  const { url } = await provider()
  const contents = [{ parts: [{ text: 'hi' }] }]
  const spellings = [
    { contents, generationConfig: { max_output_tokens: 3 }, system_instruction: { parts: [{ text: 'be plain' }] } },
    { contents, generation_config: { maxOutputTokens: 3 }, systemInstruction: { parts: [{ text: 'be plain' }] } },
  ]
  for (const body of spellings) {
    const answer = await (await post(url + WHOLE, body)).json()
    expect(answer).toMatchObject({ usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 3 } })
  }
})

test('events have the shape of a recorded stream', async () => {
  const target = await provider({ shape, reasoningTokens: 4 })
  const [first] = eventsOf(await (await post(target.url + STREAM, contentsWith(nonce(1), 100))).text())
  const [recorded] = streamObjects('google-text')
  expect(placesOf(first?.json).toSorted()).toEqual([...placesOf(recorded), 'system_fingerprint: string'].toSorted())
})

test.each<[string, string, unknown, number, string]>([
  ['no contents', WHOLE, {}, 400, 'INVALID_ARGUMENT'],
  ['two candidates', WHOLE, { ...contentsWith(''), generationConfig: { candidateCount: 2 } }, 400, 'INVALID_ARGUMENT'],
  ['a stream that is no SSE', STREAM.replace('?alt=sse', ''), contentsWith(''), 400, 'INVALID_ARGUMENT'],
  ['an unknown model', WHOLE.replace('gemini', 'unknown'), contentsWith(''), 404, 'NOT_FOUND'],
  ['a name that is none', WHOLE.replace('gemini', '%E0%A4%A'), contentsWith(''), 404, 'NOT_FOUND'],
  ['an unknown action', '/v1beta/models/gemini-3-pro:embed', {}, 404, 'NOT_FOUND'],
])('%s is refused as Gemini would', async (_, path, body, code, status) => {
  const { url } = await provider()
  const response = await post(url + path, body)
  expect(response.status).toBe(code)
  expect(await response.json()).toEqual({ error: { code, message: expect.stringMatching(/\w/), status } })
})

test('the key is in x-goog-api-key or in the URL', async () => {
  const { url } = await provider({ apiKey: 'right' })
  const status = async (path: string, headers: Record<string, string> = {}) =>
    (await post(url + path, contentsWith(nonce(1)), { headers })).status
  expect(await status(WHOLE)).toBe(401)
  expect(await status(WHOLE, { 'x-goog-api-key': 'wrong' })).toBe(401)
  expect(await status(WHOLE, { 'x-goog-api-key': 'right' })).toBe(200)
  expect(await status(`${WHOLE}?key=right`)).toBe(200)
})
