import fc from 'fast-check'
import { expect, test } from 'vitest'
import { drawFault, FAULT_TIMES, FAULTS, type Fault, type FaultPlan } from '../../src/provider/faults.ts'
import { buildNonce } from '../../src/wire/nonce.ts'
import { post2, raw1, session2 } from './http-client.ts'
import {
  ANTHROPIC,
  chatBody,
  chatWith,
  contentsWith,
  fixedLatency,
  messagesWith,
  nonce,
  post,
  postChat,
  provider,
  truthOf,
  watched,
} from './support.ts'

const CHAT = '/v1/chat/completions'

function only(fault: Fault, share = 1, times: Partial<typeof FAULT_TIMES> = {}): { faults: FaultPlan } {
  return { faults: { shares: { [fault]: share }, ...FAULT_TIMES, ...times } }
}

test('faults come at their shares, each request at most one', () => {
  const shares = { rate_limit: 0.05, server_error: 0.01, truncate: 0.2 }
  const plan = { shares, ...FAULT_TIMES }
  const drawn = Array.from({ length: 20_000 }, (_, i) => drawFault(plan, `request ${i}`))
  for (const [fault, share] of Object.entries(shares)) {
    const count = drawn.filter((name) => name === fault).length
    // Five standard errors.
    expect(Math.abs(count - 20_000 * share)).toBeLessThan(5 * Math.sqrt(20_000 * share * (1 - share)))
  }
})

test('a share of all is all, and of none is none', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...FAULTS), (seed, fault) => {
      expect(drawFault({ shares: { [fault]: 1 }, ...FAULT_TIMES }, seed)).toBe(fault)
      expect(drawFault({ shares: { [fault]: 0 }, ...FAULT_TIMES }, seed)).toBeUndefined()
    }),
  )
})

test('the same requests fail in every arm and run, a retry draws anew, and all of it is on record', async () => {
  const failed = async (arm: string): Promise<number[]> => {
    const target = await provider(only('server_error', 0.3))
    const statuses: number[] = []
    for (let i = 0; i < 60; i++) statuses.push((await postChat(target, chatWith(buildNonce(arm, 7, i)))).status)
    const truth = await truthOf(target)
    expect(truth.map(({ status }) => status)).toEqual(statuses)
    expect(truth.map(({ fault }) => fault === 'server_error')).toEqual(statuses.map((status) => status === 500))
    expect(target.stats().faults).toEqual({ server_error: statuses.filter((status) => status === 500).length })
    return statuses
  }
  const first = await failed('directly')
  expect(await failed('throughs')).toEqual(first)
  expect(new Set(first)).toEqual(new Set([200, 500]))

  const target = await provider(only('server_error', 0.5))
  const retries = await Promise.all(Array.from({ length: 40 }, () => postChat(target, chatWith(nonce(1)))))
  expect(new Set(retries.map(({ status }) => status))).toEqual(new Set([200, 500]))
})

test('without a nonce a repeated request does not always fail', async () => {
  const target = await provider(only('server_error', 0.5))
  const answers = await Promise.all(Array.from({ length: 40 }, () => postChat(target, chatBody('hi'))))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 500]))
})

test.each<[Fault, number[], unknown[]]>([
  ['rate_limit', [429, 429, 429], ['requests', 'rate_limit_error', 'RESOURCE_EXHAUSTED']],
  ['server_error', [500, 500, 500], ['server_error', 'api_error', 'INTERNAL']],
  ['overloaded', [503, 529, 503], ['server_error', 'overloaded_error', 'UNAVAILABLE']],
])('%s is said as each provider says it', async (fault, statuses, words) => {
  const target = await provider(only(fault, 1, { retryAfterMs: 1_500 }))
  const answers = [
    await postChat(target, chatWith(nonce(1))),
    await post(`${target.url}/v1/messages`, messagesWith(nonce(2)), { headers: ANTHROPIC }),
    await post(`${target.url}/v1beta/models/m:generateContent`, contentsWith(nonce(3))),
  ]
  expect(answers.map(({ status }) => status)).toEqual(statuses)
  const retryAfter = fault === 'rate_limit' ? ['2', '1500'] : [null, null]
  for (const { headers } of answers) {
    expect([headers.get('retry-after'), headers.get('retry-after-ms')]).toEqual(retryAfter)
  }
  const errors = await Promise.all(answers.map(async (answer) => (await answer.json()) as { error: object }))
  errors.forEach(({ error }, i) => {
    expect(Object.values(error)).toContain(words[i])
  })
})

test('reset: the connection is reset, and no byte of an answer came', async () => {
  const target = await provider({ ...only('reset'), http2: { maxConcurrentStreams: 10 } })
  const { text, ended } = await raw1(target.port, CHAT, chatWith(nonce(1)))
  expect({ text, ended }).toEqual({ text: '', ended: 'ECONNRESET' })
  const session = await session2(target.url)
  const answer = await post2(session, CHAT, chatWith(nonce(2)))
  expect(answer).toMatchObject({ status: 0, body: '', ended: expect.stringContaining('INTERNAL_ERROR') })
  expect(await truthOf(target)).toMatchObject([
    { fault: 'reset', status: null, aborted: false },
    { fault: 'reset', status: null, aborted: false },
  ])
  expect(target.stats()).toMatchObject({ aborted: 0, inFlight: 0 })
})

test('truncate: a stream without its end mark, a body shorter than it said', async () => {
  const target = await provider({ ...only('truncate'), http2: { maxConcurrentStreams: 10 } })
  const { text: stream, ended } = await raw1(target.port, CHAT, chatWith(nonce(1), { stream: true, max_tokens: 10 }))
  expect(ended).toBe('end')
  expect(stream.split('"content":"').length - 1).toBe(1 + 5)
  expect(stream).not.toMatch(/\[DONE\]|\r\n0\r\n/)
  const { text: whole } = await raw1(target.port, CHAT, chatWith(nonce(2), { max_tokens: 50 }))
  const [head = '', body = ''] = whole.split('\r\n\r\n')
  const length = Number(/content-length: (\d+)/.exec(head)?.[1])
  expect(body.length).toBeGreaterThan(0)
  expect(body.length).toBeLessThan(length)
  const session = await session2(target.url)
  const answer = await post2(session, CHAT, chatWith(nonce(3), { stream: true, max_tokens: 10 }))
  expect(answer).toMatchObject({ status: 200, ended: expect.stringContaining('INTERNAL_ERROR') })
  expect(answer.body.split('"content":"').length - 1).toBe(1 + 5)
  expect(target.stats().aborted).toBe(0)
})

test('stall: silence in the middle, and then the rest', async () => {
  const target = await provider(only('stall', 1, { stallMs: 120 }))
  const stream = await (await postChat(target, chatWith(nonce(1), { stream: true, max_tokens: 10 }))).text()
  const stampsUs = watched(stream).stamps.map((stamp) => stamp?.providerUs ?? Number.NaN)
  expect(stampsUs).toHaveLength(10)
  expect(stampsUs[4]).toBeLessThan(120_000)
  expect(stampsUs[5]).toBeGreaterThanOrEqual(120_000)
  const response = await postChat(target, chatWith(nonce(2)))
  const headersMs = performance.now()
  expect(await response.json()).toMatchObject({ object: 'chat.completion' })
  expect(performance.now() - headersMs).toBeGreaterThan(60)
})

test('malformed: one event that is no JSON, and the rest is there; a JSON answer that is none', async () => {
  const target = await provider(only('malformed'))
  const requests: [string, unknown][] = [
    [CHAT, chatWith(nonce(1), { stream: true })],
    ['/v1/responses', { model: 'm', input: 'hi', stream: true }],
    ['/v1/messages', messagesWith(nonce(2), { stream: true })],
    ['/v1beta/models/m:streamGenerateContent?alt=sse', contentsWith(nonce(3))],
  ]
  for (const [path, body] of requests) {
    const text = await (await post(target.url + path, body, { headers: ANTHROPIC })).text()
    expect(watched(text)).toMatchObject({ ended: true, garbage: expect.stringMatching(/^\{"/), tokenEvents: 5 })
  }
  await expect((await postChat(target, chatWith(nonce(4)))).json()).rejects.toThrow(SyntaxError)
})

test('error_event: a stream of status 200 that ends with an error; a JSON answer is a 500', async () => {
  const target = await provider(only('error_event'))
  const requests: [string, unknown][] = [
    [CHAT, chatWith(nonce(1), { stream: true })],
    ['/v1/responses', { model: 'm', input: 'hi', stream: true }],
    ['/v1/messages', messagesWith(nonce(2), { stream: true })],
    ['/v1beta/models/m:streamGenerateContent?alt=sse', contentsWith(nonce(3))],
  ]
  for (const [path, body] of requests) {
    const response = await post(target.url + path, body, { headers: ANTHROPIC })
    expect(response.status).toBe(200)
    const watch = watched(await response.text())
    expect(watch).toMatchObject({ ended: false, error: expect.stringMatching(/^The server had an error/) })
    expect(watch.tokenEvents).toBe(2)
  }
  expect((await postChat(target, chatWith(nonce(4)))).status).toBe(500)
})

test('slow_headers: nothing for longer than the model takes', async () => {
  const target = await provider({ ...only('slow_headers', 1, { slowHeadersMs: 150 }), latency: fixedLatency(10, 0) })
  await (await postChat(target, chatWith(nonce(1), { stream: true }))).text()
  const [record] = await truthOf(target)
  expect((record?.firstWriteUs ?? 0) - (record?.receivedUs ?? 0)).toBeGreaterThanOrEqual(160_000)
})
