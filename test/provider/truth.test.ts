import { Agent, request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { ProviderStats } from '../../src/provider/truth.ts'
import { TruthLog } from '../../src/provider/truth.ts'
import { now } from '../../src/system/clock.ts'
import { parseStamp } from '../../src/wire/stamp.ts'
import { chatBody, chatWith, fixedLatency, nonce, payloadsOf, postChat, provider, truthOf } from './support.ts'

function durationUs(response: Response): number {
  return Math.round(Number(/dur=([\d.]+)/.exec(response.headers.get('server-timing') ?? '')?.[1]) * 1_000)
}

test('the stamp, the header and the truth of a JSON answer are one number', async () => {
  const target = await provider({ latency: fixedLatency(15, 0) })
  const beforeUs = now()
  const response = await postChat(target, chatWith(nonce(1)))
  const { system_fingerprint } = (await response.json()) as { system_fingerprint: string }
  const stamp = parseStamp(system_fingerprint)
  const [record] = await truthOf(target)
  expect(record).toEqual({
    nonce: nonce(1),
    attempt: 1,
    connection: 1,
    receivedUs: expect.any(Number),
    firstWriteUs: record?.lastWriteUs,
    lastWriteUs: (record?.receivedUs ?? Number.NaN) + (stamp?.providerUs ?? Number.NaN),
    tokens: 5,
    events: 0,
    status: 200,
    stream: false,
    aborted: false,
    fault: null,
  })
  expect(durationUs(response)).toBe(stamp?.providerUs)
  expect(record?.receivedUs).toBeGreaterThanOrEqual(Math.floor(beforeUs))
  expect(record?.lastWriteUs).toBeLessThanOrEqual(now())
})

test('in a stream the first and the last stamp are the first and the last write, and none goes back', async () => {
  const target = await provider({ latency: fixedLatency(10, 2), tokens: 8 })
  const response = await postChat(target, chatWith(nonce(1), { stream: true, stream_options: { include_usage: true } }))
  const payloads = payloadsOf(await response.text())
  expect(payloads.pop()).toBe('[DONE]')
  const stampsUs = payloads.map((payload) => {
    const { system_fingerprint } = JSON.parse(payload) as { system_fingerprint: string }
    return parseStamp(system_fingerprint)?.providerUs ?? Number.NaN
  })
  const [record] = await truthOf(target)
  const receivedUs = record?.receivedUs ?? Number.NaN
  expect(stampsUs).toHaveLength(1 + 8 + 2)
  expect(stampsUs).toEqual(stampsUs.toSorted((a, b) => a - b))
  expect(receivedUs + (stampsUs[0] ?? Number.NaN)).toBe(record?.firstWriteUs)
  expect(receivedUs + (stampsUs.at(-1) ?? Number.NaN)).toBe(record?.lastWriteUs)
  expect(durationUs(response)).toBe(stampsUs[0])
  expect(record).toMatchObject({ tokens: 8, status: 200, stream: true, aborted: false })
})

test('a request without a nonce has the header, no stamp and no record', async () => {
  const target = await provider()
  const response = await postChat(target, chatBody('hi'))
  expect(durationUs(response)).toBeGreaterThanOrEqual(0)
  expect(await response.json()).not.toHaveProperty('system_fingerprint')
  const stream = await (await postChat(target, chatBody('hi', { stream: true }))).text()
  expect(stream).not.toContain('system_fingerprint')
  expect(await truthOf(target)).toEqual([])
})

test('a nonce that comes again is a further attempt, also after a refusal', async () => {
  const target = await provider()
  expect((await postChat(target, chatWith(nonce(1), { model: 'gpt-unknown' }))).status).toBe(404)
  const again = (await (await postChat(target, chatWith(nonce(1)))).json()) as { system_fingerprint: string }
  const other = (await (await postChat(target, chatWith(nonce(2)))).json()) as { system_fingerprint: string }
  expect(parseStamp(again.system_fingerprint)?.attempt).toBe(2)
  expect(parseStamp(other.system_fingerprint)?.attempt).toBe(1)
  expect((await truthOf(target)).map(({ attempt, status }) => [attempt, status])).toEqual([
    [1, 404],
    [2, 200],
    [1, 200],
  ])
})

test('a cleared truth has forgotten nonces too', async () => {
  const target = await provider()
  await (await postChat(target, chatWith(nonce(1)))).text()
  expect((await fetch(`${target.url}/__kt/truth`, { method: 'DELETE' })).status).toBe(204)
  expect(await truthOf(target)).toEqual([])
  await (await postChat(target, chatWith(nonce(1)))).text()
  expect(await truthOf(target)).toMatchObject([{ attempt: 1 }])
})

test('the log is bounded: the oldest go, with the count of their attempts', () => {
  const log = new TruthLog(3)
  for (const name of ['a', 'b', 'a', 'c', 'd']) log.begin(name, 1, 0, false)
  expect(log.records().map(({ nonce, attempt }) => nonce + attempt)).toEqual(['a2', 'c1', 'd1'])
  // 'b' left with its only record; the second 'a' is still there and counts on.
  expect(log.begin('b', 1, 0, false).attempt).toBe(1)
  expect(new TruthLog(3).records()).toEqual([])
})

test('thousands of records are read whole, oldest first', () => {
  const log = new TruthLog()
  for (let i = 0; i < 2_345; i++) log.begin(nonce(i), 1, i, false)
  const lines = [...log.ndjson()].join('').trimEnd().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { receivedUs: number }).receivedUs)).toEqual(
    Array.from({ length: 2_345 }, (_, i) => i),
  )
})

test('the truth tells connections apart: requests on one bear one number, a new one bears the next', async () => {
  const target = await provider()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  for (const index of [1, 2]) await posted(target.port, agent, chatWith(nonce(index)))
  await posted(target.port, false, chatWith(nonce(3)))
  const [first, second, third] = await truthOf(target)
  expect(second?.connection).toBe(first?.connection)
  expect(third?.connection).toBe((first?.connection ?? 0) + 1)
})

/** One request with node:http, on the connection that `agent` keeps, or on one of its own. */
function posted(port: number, agent: Agent | false, body: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { port, agent, path: '/v1/chat/completions', method: 'POST' }
    request(options, (answer) => answer.resume().on('end', resolve))
      .on('error', reject)
      .end(JSON.stringify(body))
  })
}

test('a reader that leaves in the middle of the truth does no harm', async () => {
  const target = await provider()
  for (let i = 0; i < 200; i++) await (await postChat(target, chatWith(nonce(i)))).text()
  const leave = new AbortController()
  const response = await fetch(`${target.url}/__kt/truth`, { signal: leave.signal })
  leave.abort()
  await expect(response.text()).rejects.toThrow()
  expect(await truthOf(target)).toHaveLength(200)
})

test('statistics count requests, retries and connections', async () => {
  const target = await provider()
  for (let i = 0; i < 3; i++) await (await postChat(target, chatWith(nonce(1)))).text()
  await (await fetch(`${target.url}/nowhere`)).text()
  const stats = (await (await fetch(`${target.url}/__kt/stats`)).json()) as ProviderStats
  expect(stats).toEqual({
    requests: 4,
    inFlight: 0,
    connectionsOpened: expect.any(Number),
    connectionsOpen: expect.any(Number),
    connections: {
      http1: { opened: stats.connectionsOpened, open: stats.connectionsOpen },
      http2: { opened: 0, open: 0 },
    },
    aborted: 0,
    retries: 2,
    faults: {},
    clientPort: expect.any(Number),
  })
  expect(stats.connectionsOpen).toBeGreaterThanOrEqual(1)
  expect(stats.connectionsOpened).toBeGreaterThanOrEqual(stats.connectionsOpen)
})
