import { writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { bytesOf, CASSETTE, type RecordedAnswer } from '../../../src/provider/cassette/cassette.ts'
import { describeRequest } from '../../../src/provider/cassette/request.ts'
import { scriptOf } from '../../../src/provider/cassette/script.ts'
import type { ProviderStats } from '../../../src/provider/truth.ts'
import { eachEventText } from '../../../src/wire/formats.ts'
import { parseStamp } from '../../../src/wire/stamp.ts'
import { asEvents, streamNames, streamPayloads } from '../../support/streams.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { post2, session2 } from '../http-client.ts'
import { chatBody, chatWith, nonce, payloadsOf, post, postChat, truthOf, watched } from '../support.ts'
import { replay } from './support.ts'

const STREAM: [string, string][] = [['content-type', 'text/event-stream']]
const JSON_TYPE: [string, string][] = [['content-type', 'application/json']]

/** An answer to a chat request, unless `more` says otherwise; its pieces `gapMs` apart. */
function answered(
  body: unknown,
  pieces: readonly string[],
  {
    gapMs = 1,
    path = '/v1/chat/completions',
    ...more
  }: Partial<RecordedAnswer> & { gapMs?: number; path?: string } = {},
): RecordedAnswer {
  const { nonce: _nonce, seed: _seed, ...request } = describeRequest('POST', path, JSON.stringify(body))
  return {
    at: '2026-11-30T00:00:00.000Z',
    request,
    connectMs: 0,
    status: 200,
    headMs: gapMs,
    headers: request.stream ? STREAM : JSON_TYPE,
    leftOut: [],
    chunks: pieces.map((text, i) => ({ ms: (i + 1) * gapMs, text })),
    end: 'whole',
    endMs: pieces.length * gapMs,
    ...more,
  }
}

function cassette(...answers: readonly RecordedAnswer[]): string {
  const dir = tempDir()
  onTestFinished(() => dir.remove())
  const head = { schema: CASSETTE, kt: 'test', startedAt: '2026-11-30T00:00:00.000Z', upstream: 'https://x' }
  const path = dir.file('cassette.jsonl')
  writeFileSync(path, [head, ...answers].map((line) => `${JSON.stringify(line)}\n`).join(''))
  return path
}

function chat(text: string, stream = false): Record<string, unknown> {
  return chatBody(text, stream ? { stream } : {})
}

async function say(target: { url: string }, body: unknown): Promise<string> {
  return (await post(`${target.url}/v1/chat/completions`, body)).text()
}

test.each(streamNames)('the recorded stream %s is stamped in every event, and says what it said', async (name) => {
  const events = asEvents(streamPayloads(name))
  // Pieces of any size, as networks cut them: within an event, within a character.
  const bytes = Buffer.from(events)
  const size = Math.ceil(bytes.length / 7)
  const chunks = Array.from({ length: 7 }, (_, i) => ({
    ms: i + 1,
    base64: bytes.subarray(i * size, (i + 1) * size).toString('base64'),
  }))
  const path = cassette(answered(chat('Say something plain.', true), [], { chunks, endMs: 8 }))
  const target = await replay(path)
  const bare = await say(target, chat('Say something plain.', true))
  expect(bare).toBe(events)
  const stamped = await say(target, chatWith(nonce(1), { stream: true }))
  const objects = payloadsOf(stamped).filter((payload) => payload.startsWith('{'))
  const stamps = objects.map((payload) => parseStamp(String(JSON.parse(payload).system_fingerprint)))
  expect(stamps.length).toBeGreaterThan(0)
  expect(stamps.every((stamp) => stamp?.nonce === nonce(1) && stamp.attempt === 1)).toBe(true)
  const times = stamps.map((stamp) => stamp?.providerUs ?? Number.NaN)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(objects.map(withoutFingerprint)).toEqual(
    streamPayloads(name)
      .filter((line) => line.startsWith('{'))
      .map(withoutFingerprint),
  )
  const [before, after] = [watched(bare), watched(stamped)]
  expect(after.usage).toEqual(before.usage)
  const [record] = await truthOf(target)
  expect(record?.events).toBe(
    scriptOf(answered(chat('x', true), [], { chunks }), 2).writes.reduce((sum, one) => sum + one.events, 0),
  )
  expect(record?.events).toBeGreaterThan(0)
  expect((record?.lastWriteUs ?? 0) - (record?.receivedUs ?? 0)).toBe(times.at(-1))
})

test.each(streamNames)('the recorded stream %s is stamped in its texts too, where that is asked for', async (name) => {
  const path = cassette(answered(chat('Say something plain.', true), [asEvents(streamPayloads(name))]))
  const textsIn = async (stampInText: boolean): Promise<string[]> => {
    const heard = await say(await replay(path, {}, { stampInText }), chatWith(nonce(1), { stream: true }))
    return payloadsOf(heard).flatMap((payload) => {
      const texts: string[] = []
      if (payload.startsWith('{')) {
        eachEventText(JSON.parse(payload), (kind, text) => {
          if (kind === 'visible' && text !== '') texts.push(text)
        })
      }
      return texts
    })
  }
  const bare = await textsIn(false)
  const stamped = await textsIn(true)
  expect(bare.length).toBeGreaterThan(0)
  expect(stamped.map((text) => text.replace(/ kt1\.[a-z]{16}\.1\.\d+$/, ''))).toEqual(bare)
  expect(stamped.every((text) => text.includes(` kt1.${nonce(1)}.1.`))).toBe(true)
})

function withoutFingerprint(payload: string): unknown {
  const { system_fingerprint: _, ...rest } = JSON.parse(payload) as Record<string, unknown>
  return rest
}

test('a whole answer carries one stamp, at its end; also the text does where that is asked for', async () => {
  const body =
    '{"system_fingerprint":"fp_1","choices":[{"message":{"role":"assistant","content":"h\\u00e9 \\"you\\""}}], "n":1}\n'
  const path = cassette(answered(chat('Say something plain.'), [body.slice(0, 60), body.slice(60)], { gapMs: 5 }))
  const answer = await say(await replay(path), chatWith(nonce(1)))
  const member = /,"system_fingerprint":"kt1\.[^"]+"/.exec(answer)?.[0] ?? ''
  expect(answer).toBe(`${body.replace('"system_fingerprint":"fp_1",', '').replace('}\n', `${member}}\n`)}`)
  const texts = await say(await replay(path, {}, { stampInText: true }), chatWith(nonce(2)))
  expect(JSON.parse(texts).choices[0].message.content).toMatch(/^hé "you" kt1\.[a-z]{16}\.1\.\d+$/)
  expect(await say(await replay(path), chat('Say something plain.'))).toBe(body)
})

test('it is played at its own pace, or faster, by one clock with its stamps', async () => {
  const pieces = ['one', 'two', 'three'].map((word) =>
    asEvents([JSON.stringify({ choices: [{ delta: { content: word } }] })]),
  )
  const path = cassette(answered(chat('Say something plain.', true), pieces, { gapMs: 40 }))
  const took = async (speed: number): Promise<number[]> => {
    const stamped = await say(await replay(path, { speed }), chatWith(nonce(1), { stream: true }))
    return payloadsOf(stamped).map((one) => parseStamp(JSON.parse(one).system_fingerprint)?.providerUs ?? Number.NaN)
  }
  const own = await took(1)
  for (const [i, us] of own.entries()) expect(us).toBeGreaterThanOrEqual((i + 1) * 40_000)
  const faster = await took(4)
  for (const [i, us] of faster.entries()) expect(us).toBeGreaterThanOrEqual((i + 1) * 10_000)
  expect(faster[2]).toBeLessThan(own[2] ?? 0)
})

test('of several answers to a request its seed draws one: the same in each arm, another at a retry', async () => {
  const answers = ['a', 'b', 'c', 'd', 'e'].map((word) => answered(chat('Say something plain.'), [`{"w":"${word}"}`]))
  const path = cassette(...answers)
  const words = async (arm: string): Promise<string> => {
    const target = await replay(path)
    const heard: string[] = []
    for (let i = 0; i < 12; i++) heard.push(JSON.parse(await say(target, chatWith(nonce(i, arm)))).w)
    return heard.join('')
  }
  const [first, second] = [await words('armaaaaa'), await words('armbbbbb')]
  expect(second).toBe(first)
  expect(new Set(first).size).toBeGreaterThan(2)
  const target = await replay(path)
  const retries = []
  for (let i = 0; i < 12; i++) retries.push(JSON.parse(await say(target, chatWith(nonce(1)))).w)
  expect(new Set(retries).size).toBeGreaterThan(1)
  // Without a nonce they come in turns.
  const turns = []
  for (let i = 0; i < 6; i++) turns.push(JSON.parse(await say(target, chat('Say something plain.'))).w)
  expect(turns.join('')).toBe('abcdea')
})

test('the digest knows a request again whatever the order of its keys and whatever its nonce', () => {
  const digest = (body: unknown): string => describeRequest('POST', '/v1/chat/completions', JSON.stringify(body)).digest
  const { messages, model } = chatWith(nonce(1))
  expect(digest({ messages, model })).toBe(digest({ model, messages }))
  expect(digest(chatWith(nonce(1)))).toBe(digest(chatWith(nonce(2))))
  expect(digest(chatWith(nonce(1)))).toBe(digest(chatBody('Say something plain.')))
  expect(digest(chatBody('Say something else.'))).not.toBe(digest(chatBody('Say something plain.')))
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  expect(describeRequest('POST', '/v1/chat/completions', deep).digest).toMatch(/^sha256:[0-9a-f]{64}$/)
})

test.each([
  ['/openai/deployments/d/chat/completions?api-version=1', 'openai-chat', false],
  ['/v1/messages', 'anthropic', false],
  ['/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', 'gemini', true],
  ['/v1/projects/p/locations/l/publishers/google/models/g:generateContent', 'gemini', false],
  ['/v1/rerank', 'rerank', false],
  ['/v1/moderations', 'POST /v1/moderations', false],
])('the protocol of %s is told by the end of its path', (url, kind, stream) => {
  expect(describeRequest('POST', url, '{}')).toMatchObject({ kind, stream })
})

test('a request that was not recorded gets the answer of one that is near, and that is said once', async () => {
  const long = 'word '.repeat(400)
  const path = cassette(
    answered(chat('short'), ['{"w":"short"}']),
    answered(chat(long), ['{"w":"long"}']),
    answered({ ...chat('short'), model: 'other' }, ['{"w":"other"}']),
  )
  const target = await replay(path)
  expect(await say(target, chat('shirt'))).toBe('{"w":"short"}')
  expect(await say(target, chat(`${long}more`))).toBe('{"w":"long"}')
  expect(await say(target, { ...chat('x'), model: 'other' })).toBe('{"w":"other"}')
  expect(target.notes).toEqual([
    `kt: no answer to this very request in ${path}: it plays that of a similar one, by protocol, model and size`,
  ])
  await say(target, { ...chat('x'), model: 'third' })
  expect(target.notes[1]).toContain('one of another model')
  const stats = (await (await fetch(`${target.url}/__kt/stats`)).json()) as ProviderStats
  expect(stats.played).toEqual({ exact: 0, nearest: 4, inOrder: 0, unanswered: 0, rounds: 0 })
})

test('what cannot be answered is refused in its protocol’s words, and the list of models is simulated', async () => {
  const target = await replay(cassette(answered(chat('hi'), ['{}'])))
  const refused = await postChat(target, chat('hi', true))
  expect(refused.status).toBe(404)
  expect(await refused.json()).toMatchObject({
    error: { code: 'not_recorded', message: 'The cassette holds no stream for openai-chat; it holds: openai-chat.' },
  })
  expect((await fetch(`${target.url}/v1/models`)).status).toBe(200)
})

test('in order: one after another of its protocol, and from the first again, which is said', async () => {
  const answers = ['a', 'b'].map((word) => answered(chat(word), [`{"w":"${word}"}`]))
  const path = cassette(...answers, answered({ model: 'm', input: 'x' }, ['{"w":"e"}'], { path: '/v1/embeddings' }))
  const target = await replay(path, { order: 'sequence' })
  const heard = []
  for (let i = 0; i < 3; i++) heard.push(JSON.parse(await say(target, chat('b'))).w)
  expect(heard.join('')).toBe('aba')
  expect(target.notes).toEqual([`kt: all answers of ${path} were played: it begins again`])
  expect(await (await post(`${target.url}/v1/embeddings`, { model: 'm', input: 'x' })).text()).toBe('{"w":"e"}')
})

test('the same over HTTP/2', async () => {
  const events = asEvents(streamPayloads('openai-text').slice(0, 20))
  const path = cassette(answered(chat('Say something plain.', true), [events.slice(0, 500), events.slice(500)]))
  const target = await replay(path, {}, { http2: { maxConcurrentStreams: 10 } })
  const session = await session2(target.url)
  const { status, body, ended } = await post2(session, '/v1/chat/completions', chat('Say something plain.', true))
  expect([status, body, ended]).toEqual([200, events, 'end'])
})

test('bytes that are no text stay what they are', () => {
  const bytes = Buffer.from([0xff, 0x00, 0xe9])
  expect(bytesOf({ ms: 1, base64: bytes.toString('base64') })).toEqual(bytes)
})
