import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { drawDelays } from '../../src/provider/latency.ts'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { seedOfNonce } from '../../src/wire/nonce.ts'
import { until } from '../support/waits.ts'
import { chatWith, fixedLatency, nonce, postChat, provider, truthOf } from './support.ts'

const DRAWN = {
  ttft: { kind: 'lognormal' as const, medianUs: 8_000, sigma: 0.6 },
  tokenGap: { kind: 'lognormal' as const, medianUs: 1_000, sigma: 0.5 },
  seed: 3,
}

async function writesOf(target: SimulatedProvider, nonceText: string): Promise<{ firstUs: number; lastUs: number }> {
  const record = (await truthOf(target)).find((candidate) => candidate.nonce === nonceText)
  const { receivedUs = Number.NaN, firstWriteUs, lastWriteUs } = record ?? {}
  return { firstUs: (firstWriteUs ?? Number.NaN) - receivedUs, lastUs: (lastWriteUs ?? Number.NaN) - receivedUs }
}

/** A client that reads nothing until told to. */
function silentClient(target: SimulatedProvider, body: unknown) {
  const socket = connect(target.port, '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
  })
  socket.pause()
  const text = JSON.stringify(body)
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
  return socket
}

test('nothing leaves before its time, and a stream ends when the JSON answer does', async () => {
  const target = await provider({ latency: fixedLatency(20, 3), tokens: 10 })
  await (await postChat(target, chatWith(nonce(1)))).text()
  await (await postChat(target, chatWith(nonce(2), { stream: true }))).text()
  const whole = await writesOf(target, nonce(1))
  const streamed = await writesOf(target, nonce(2))
  expect(whole.firstUs).toBeGreaterThanOrEqual(50_000)
  expect(streamed.firstUs).toBeGreaterThanOrEqual(20_000)
  expect(streamed.lastUs).toBeGreaterThanOrEqual(50_000)
})

test('late timers do not add up over a stream', async () => {
  const tokens = 150
  const gapUs = 1_100
  const target = await provider({ latency: fixedLatency(0, gapUs / 1_000), tokens })
  const latenessUs: number[] = []
  for (let i = 0; i < 3; i++) {
    await (await postChat(target, chatWith(nonce(i), { stream: true }))).text()
    latenessUs.push((await writesOf(target, nonce(i))).lastUs - tokens * gapUs)
  }
  // Timers count whole milliseconds: 1.1 ms waits 2. Added up, 135 ms. The best of three, for a busy machine.
  expect(Math.min(...latenessUs)).toBeLessThan(60_000)
})

test('delays are the request’s own: equal in another arm, and those that are drawn from its nonce', async () => {
  const target = await provider({ latency: DRAWN })
  for (let i = 0; i < 8; i++) {
    for (const arm of ['directly', 'throughs']) {
      const text = nonce(i, arm)
      await (await postChat(target, chatWith(text, { stream: true }))).text()
      const drawnUs = drawDelays(DRAWN, seedOfNonce(text)).ttftUs
      expect((await writesOf(target, text)).firstUs).toBeGreaterThanOrEqual(Math.floor(drawnUs))
    }
    expect(seedOfNonce(nonce(i, 'directly'))).toBe(seedOfNonce(nonce(i, 'throughs')))
  }
})

test('without delays there are no timers: a stream is written in one go', async () => {
  const target = await provider({ tokens: 20 })
  for (let i = 0; i < 50; i++) await (await postChat(target, chatWith(nonce(i), { stream: true }))).text()
  const spansUs = (await truthOf(target)).map(({ receivedUs, lastWriteUs }) => (lastWriteUs ?? Number.NaN) - receivedUs)
  // The fastest of fifty: one timer alone would take a millisecond.
  expect(Math.min(...spansUs)).toBeLessThan(1_000)
})

test.each([
  ['before the answer', { latency: fixedLatency(60_000, 0) }, {}],
  ['between tokens', { latency: fixedLatency(0, 50) }, { stream: true, max_tokens: 100_000 }],
])('a client that leaves %s is noted, and nothing more is made for it', async (_, options, more) => {
  const target = await provider(options)
  const leave = new AbortController()
  const answer = postChat(target, chatWith(nonce(1), more), { signal: leave.signal }).then((response) =>
    response.text(),
  )
  answer.catch(() => undefined)
  await until(() => target.stats().inFlight === 1, 'the request arrives')
  await until(async () => (await truthOf(target)).length === 1, 'the record begins')
  leave.abort()
  await until(() => target.stats().aborted === 1, 'the abort is seen')
  expect(target.stats().inFlight).toBe(0)
  const [record] = await truthOf(target)
  expect(record?.aborted).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 120))
  expect(await truthOf(target)).toEqual([record])
})

test('a client that leaves while it sends is noted', async () => {
  const target = await provider()
  const socket = connect(target.port, '127.0.0.1')
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"model"')
  await until(() => target.stats().inFlight === 1, 'the request arrives')
  socket.destroy()
  await until(() => target.stats().aborted === 1 && target.stats().inFlight === 0, 'the abort is seen')
})

test('a reader that does not read is waited for, and gets every token when it does', async () => {
  const tokens = 100_000
  const target = await provider()
  const socket = silentClient(target, chatWith(nonce(1), { stream: true, max_tokens: tokens }))
  await until(() => target.stats().inFlight === 1, 'the request arrives')
  await new Promise((resolve) => setTimeout(resolve, 300))
  const [stuck] = await truthOf(target)
  // About 28 MB in all; the sockets' own buffers take some of it, the provider must not take the rest.
  expect(stuck?.tokens).toBeLessThan(tokens / 2)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4_000)
  })
  socket.resume()
  await until(() => text.includes('data: [DONE]'), 'the stream ends')
  expect(await truthOf(target)).toMatchObject([{ tokens, aborted: false }])
})

test('closing lets what is in flight end, and no longer than the grace', async () => {
  const patient = await provider({ latency: fixedLatency(150, 0) })
  const answer = postChat(patient, chatWith(nonce(1)))
  await until(() => patient.stats().inFlight === 1, 'the request arrives')
  await patient.close()
  expect((await answer).status).toBe(200)

  const endless = await provider({ latency: fixedLatency(60_000, 0) })
  const cut = postChat(endless, chatWith(nonce(1))).then(
    () => 'answered',
    () => 'cut off',
  )
  await until(() => endless.stats().inFlight === 1, 'the request arrives')
  await endless.close(50)
  expect(await cut).toBe('cut off')
})
