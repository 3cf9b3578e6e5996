import { connect } from 'node:net'
import OpenAI from 'openai'
import { expect, onTestFinished, test } from 'vitest'
import { PLAIN_SHAPE } from '../../src/provider/api.ts'
import { drawDelays } from '../../src/provider/latency.ts'
import { answerText, answerTextFrom } from '../../src/provider/text.ts'
import { paddingFor } from '../../src/wire/openai.ts'
import { streamObjects } from '../support/streams.ts'
import { until } from '../support/waits.ts'
import {
  ANTHROPIC,
  chatBody,
  chatWith,
  contentsWith,
  eventsOf,
  fixedLatency,
  messagesWith,
  nonce,
  placesOf,
  post,
  postChat,
  provider,
  truthOf,
  watched,
} from './support.ts'

const STREAM = { stream: true, stream_options: { include_usage: true } }

interface Chunk {
  choices: { delta: { content?: string } }[]
  obfuscation?: string
  system_fingerprint?: string
}

async function chunksOf(options: Parameters<typeof provider>[0], more: Record<string, unknown>): Promise<Chunk[]> {
  const target = await provider(options)
  const text = await (await postChat(target, chatWith(nonce(1), { ...STREAM, ...more }))).text()
  return eventsOf(text).map(({ json }) => json as unknown as Chunk)
}

test('any part of the text is what the whole has there', () => {
  const whole = answerText(500)
  let joined = ''
  for (let from = 0, size = 1; from < 500; from += size, size = (size * 7 + 3) % 101) {
    joined += answerTextFrom(from, Math.min(size, 500 - from))
  }
  expect(joined).toBe(whole)
})

test('several tokens an event: all of them, in fewer events', async () => {
  const chunks = await chunksOf({ shape: { ...PLAIN_SHAPE, tokensPerEvent: { min: 4, max: 4 } } }, { max_tokens: 10 })
  const texts = chunks.map(({ choices }) => choices[0]?.delta.content).filter(Boolean)
  expect(texts).toEqual([answerTextFrom(0, 4), answerTextFrom(4, 4), answerTextFrom(8, 2)])
})

test('several events a write: one stamp for them, and a gap a token all the same', async () => {
  const target = await provider({
    latency: fixedLatency(10, 2),
    shape: { ...PLAIN_SHAPE, eventsPerWrite: 5 },
  })
  const text = await (await postChat(target, chatWith(nonce(1), { stream: true, max_tokens: 20 }))).text()
  const stampsUs = watched(text).stamps.map((stamp) => stamp?.providerUs)
  expect(stampsUs).toHaveLength(20)
  expect(new Set(stampsUs).size).toBe(4)
  const [record] = await truthOf(target)
  expect((record?.lastWriteUs ?? 0) - (record?.receivedUs ?? 0)).toBeGreaterThanOrEqual(10_000 + 20 * 2_000)
})

test('events of a write leave together', async () => {
  const target = await provider({ latency: fixedLatency(0, 40), shape: { ...PLAIN_SHAPE, eventsPerWrite: 50 } })
  const socket = connect(target.port, '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
  })
  const body = JSON.stringify(chatWith(nonce(1), { stream: true, max_tokens: 100 }))
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  // The role, then the fifty of the first write; the next write is two seconds away.
  await until(() => text.split('\n\n').length > 50, 'the first write')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(text.split('"delta":{"content":"').length - 1).toBe(50)
})

test('padding hides the length of a token, and a client may switch it off', async () => {
  const options = { shape: { ...PLAIN_SHAPE, obfuscation: true } }
  const padded = await chunksOf(options, { max_tokens: 30 })
  const sizes = padded.flatMap(({ choices, obfuscation }) => {
    const text = choices[0]?.delta.content
    return text ? [text.length + (obfuscation?.length ?? Number.NaN)] : []
  })
  expect(sizes).toHaveLength(30)
  expect(sizes.every((size) => size === 10 || size === 26)).toBe(true)
  expect(padded.every(({ obfuscation }) => typeof obfuscation === 'string')).toBe(true)
  const bare = await chunksOf(options, { stream_options: { include_obfuscation: false } })
  expect(bare.some((chunk) => 'obfuscation' in chunk)).toBe(false)
  expect([0, 10, 11, 26, 27].map((chars) => chars + paddingFor(chars).length)).toEqual([10, 10, 26, 26, 42])
})

test.each(['openai-text', 'azure-model-router.1'])(
  'no event has what a recorded stream (%s) does not',
  async (name) => {
    const shape = { ...PLAIN_SHAPE, obfuscation: true, promptFilterEvent: name.startsWith('azure') }
    const recorded = new Set(streamObjects(name).flatMap((event) => placesOf(event)))
    const chunks = await chunksOf({ shape, reasoningTokens: 64 }, {})
    const own = chunks.flatMap((chunk) => placesOf(chunk)).filter((place) => !place.startsWith('system_fingerprint'))
    expect(own.filter((place) => !recorded.has(place))).toEqual([])
  },
)

test('the prompt filter’s event comes first, and official and own client read past it', async () => {
  const target = await provider({ shape: { ...PLAIN_SHAPE, promptFilterEvent: true } })
  const text = await (await postChat(target, chatWith(nonce(1), STREAM))).text()
  expect(eventsOf(text)[0]?.json).toMatchObject({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] })
  expect(watched(text)).toMatchObject({ tokenEvents: 5, ended: true, error: undefined })
  const openai = new OpenAI({ apiKey: 'any', baseURL: `${target.url}/v1` })
  const messages = [{ role: 'user' as const, content: 'hi' }]
  const final = await openai.chat.completions.stream({ model: 'm', messages }).finalContent()
  expect(final).toBe(answerText(5))
})

test('hidden reasoning is billed, not shown, and thought of before the first token', async () => {
  const target = await provider({ latency: fixedLatency(10, 1), reasoningTokens: 40 })
  const text = await (await postChat(target, chatWith(nonce(1), STREAM))).text()
  const watch = watched(text)
  expect(watch.usage).toEqual({ input: 10, output: 45, reasoning: 40, cached: 0, cacheWritten: 0 })
  expect(watch).toMatchObject({ tokenEvents: 5 })
  expect(watch.streamedTokens()).toBe(5)
  const [record] = await truthOf(target)
  expect((record?.firstWriteUs ?? 0) - (record?.receivedUs ?? 0)).toBeGreaterThanOrEqual(50_000)
  const answer = await (await postChat(target, chatWith(nonce(2)))).json()
  expect(answer).toMatchObject({
    usage: { completion_tokens: 45, completion_tokens_details: { reasoning_tokens: 40 } },
  })
})

test('a prompt takes its prefill, and each request in flight slows the next', () => {
  const model = { ...fixedLatency(100, 10), prefillUs: 50, load: { ttft: 0.1, tokenGap: 0.02 } }
  const work = { promptTokens: 1_000, reasoningTokens: 0, others: 0 }
  expect(drawDelays(model, '', work).ttftUs).toBe(150_000)
  const loaded = drawDelays(model, '', { ...work, others: 5 })
  expect(loaded.ttftUs).toBe(225_000)
  expect(loaded.nextGapUs()).toBeCloseTo(11_000, 6)
})

test('load counts what is in flight at the provider', async () => {
  const target = await provider({ latency: { ...fixedLatency(40, 0), load: { ttft: 1, tokenGap: 0 } } })
  await Promise.all(Array.from({ length: 5 }, (_, i) => postChat(target, chatWith(nonce(i))).then((r) => r.text())))
  const tookUs = (await truthOf(target)).map(({ receivedUs, lastWriteUs }) => (lastWriteUs ?? 0) - receivedUs)
  // The fifth waits 40 ms five times over, or a little less where the first ones had left when it came.
  expect(Math.max(...tookUs)).toBeGreaterThanOrEqual(80_000)
  await (await postChat(target, chatWith(nonce(9)))).text()
  const [alone] = (await truthOf(target)).slice(-1)
  expect((alone?.lastWriteUs ?? 0) - (alone?.receivedUs ?? 0)).toBeLessThan(80_000)
})

test('the stamp in the text: one an event, in every format, and the usage is that of the words', async () => {
  const target = await provider({ stampInText: true })
  const chat = watched(await (await postChat(target, chatWith(nonce(1), STREAM))).text())
  expect(chat.usage?.output).toBe(5)
  const requests: [string, unknown][] = [
    ['/v1/chat/completions', chatWith(nonce(2), { stream: true })],
    ['/v1/completions', { model: 'm', prompt: `hi kt${nonce(3)}`, stream: true, max_tokens: 5 }],
    ['/v1/responses', { model: 'm', input: `hi kt${nonce(4)}`, stream: true }],
    ['/v1/messages', messagesWith(nonce(5), { stream: true })],
    ['/v1beta/models/m:streamGenerateContent?alt=sse', contentsWith(nonce(6))],
  ]
  for (const [path, body] of requests) {
    const text = await (await post(target.url + path, body, { headers: ANTHROPIC })).text()
    const stamped = eventsOf(text).flatMap(({ json: { system_fingerprint, ...others } }) => {
      const [inText] = /kt1\.[a-z]{16}\.\d+\.\d+/.exec(JSON.stringify(others)) ?? []
      return inText ? [{ inText, member: system_fingerprint }] : []
    })
    // Responses say the whole text again at the end.
    expect(stamped.length).toBeGreaterThanOrEqual(5)
    for (const { inText, member } of stamped.slice(0, 5)) expect(inText).toBe(member)
  }
  const whole = (await (await postChat(target, chatWith(nonce(7)))).json()) as {
    choices: { message: { content: string } }[]
    system_fingerprint: string
  }
  expect(whole.choices[0]?.message.content).toBe(`${answerText(5)} ${whole.system_fingerprint}`)
  expect((await (await postChat(target, chatBody('hi'))).text()).includes('kt1.')).toBe(false)
})
