import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { EXIT, UserError } from '../../../src/errors.ts'
import { now } from '../../../src/system/clock.ts'
import { canMount, smallDisk } from '../../support/special-files.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { raw1 } from '../http-client.ts'
import { chatBody, chatWith, fixedLatency, nonce, post, postChat, provider, truthOf } from '../support.ts'
import { record, replay, upstream } from './support.ts'

test('a recorded stream has the times of its pieces: between the provider’s and the client’s', async () => {
  const target = await provider({ latency: fixedLatency(40, 10), tokens: 6 })
  const { recorder, end } = await record(target.url)
  const beforeUs = now()
  await (await post(`${recorder.url}/v1/chat/completions`, chatWith(nonce(1), { stream: true }))).text()
  const tookMs = (now() - beforeUs) / 1_000
  const [truth] = await truthOf(target)
  const [answer] = await end()
  const firstMs = ((truth?.firstWriteUs ?? 0) - (truth?.receivedUs ?? 0)) / 1_000
  const lastMs = ((truth?.lastWriteUs ?? 0) - (truth?.receivedUs ?? 0)) / 1_000
  expect(answer).toMatchObject({ status: 200, end: 'whole', request: { kind: 'openai-chat', stream: true } })
  expect(answer?.headMs).toBeGreaterThanOrEqual(firstMs)
  const times = answer?.chunks.map(({ ms }) => ms) ?? []
  expect(times.length).toBeGreaterThan(1)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times.at(-1)).toBeGreaterThanOrEqual(lastMs)
  expect(answer?.endMs).toBeLessThanOrEqual(tookMs)
})

test('what is secret is never written: headers, cookies, keys in queries, and what the provider repeats', async () => {
  const seen: (string | undefined)[] = []
  const url = await upstream((request, response) => {
    seen.push(request.headers.authorization, request.url, request.headers['accept-encoding'])
    response.writeHead(401, {
      'content-type': 'application/json',
      'set-cookie': 'session=cookie-of-the-answer',
      'openai-organization': 'org-of-somebody',
      'x-ratelimit-remaining-tokens': '12',
      'x-own': 'Bearer sk-secret-one',
    })
    // The key lies across two pieces.
    response.write('{"error":{"message":"Incorrect API key: sk-sec')
    setTimeout(() => response.end('ret-one, query-key-two"}}'), 20)
  })
  const { recorder, end, text } = await record(url, { keepPrompts: true })
  const headers = {
    authorization: 'Bearer sk-secret-one',
    cookie: 'session=cookie-of-the-client',
    'x-api-key': 'another-key-3',
    'openai-project': 'project-of-somebody',
  }
  const body = chatBody('my key is sk-secret-one', { user: 'another-key-3' })
  const path = '/v1/projects/my-project/models/x:generate?key=query-key-two&alt=sse'
  const answer = await post(`${recorder.url}${path}`, body, { headers })
  expect(await answer.text()).toContain('sk-secret-one')
  const [kept] = await end()
  expect(seen).toEqual(['Bearer sk-secret-one', path, 'identity'])
  expect(kept?.request).toMatchObject({ path: '/v1/projects/-/models/x:generate', query: 'alt=sse' })
  expect(kept?.headers).toEqual([
    ['content-type', 'application/json'],
    ['x-ratelimit-remaining-tokens', '12'],
  ])
  expect(kept?.leftOut).toEqual(['set-cookie', 'openai-organization', 'x-own'])
  expect(kept?.chunks.map((chunk) => chunk.text).join('')).toBe(
    `{"error":{"message":"Incorrect API key: ${'*'.repeat(13)}, ${'*'.repeat(13)}"}}`,
  )
  expect(kept?.request.body).toContain('my key is *************')
  for (const secret of ['secret-one', 'query-key', 'another-key', 'cookie-of', 'somebody', 'my-project']) {
    expect(text()).not.toContain(secret)
  }
})

test('prompts are kept only where they are asked for', async () => {
  const { url } = await provider()
  const without = await record(url)
  await (await post(`${without.recorder.url}/v1/chat/completions`, chatBody('a private prompt'))).text()
  const [answer] = await without.end()
  expect(answer?.request).not.toHaveProperty('body')
  expect(without.text()).not.toContain('private')
  const withPrompts = await record(url, { keepPrompts: true })
  await (await post(`${withPrompts.recorder.url}/v1/chat/completions`, chatBody('a private prompt'))).text()
  const [kept] = await withPrompts.end()
  expect(kept?.request.body).toBe(JSON.stringify(chatBody('a private prompt')))
  expect(kept?.request.digest).toBe(answer?.request.digest)
})

test('a stream that breaks off breaks off again in the same place, and a reset is a reset', async () => {
  const url = await upstream((request, response) => {
    if (request.url === '/v1/completions') {
      response.socket?.resetAndDestroy()
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"choices":[{"delta":{"content":"one"}}]}\n\ndata: {"cho')
    setTimeout(() => response.destroy(), 20)
  })
  const { recorder, end, path } = await record(url)
  const asked = { ...chatBody('hi'), stream: true }
  const live = await raw1(recorder.port, '/v1/chat/completions', asked)
  await raw1(recorder.port, '/v1/completions', { model: 'm', prompt: 'hi' })
  const [cut, reset] = await end()
  expect(cut).toMatchObject({ status: 200, end: 'cut' })
  expect(reset).toMatchObject({ status: null, end: 'reset', chunks: [] })
  const played = await replay(path)
  const again = await raw1(played.port, '/v1/chat/completions', asked)
  const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n'))
  expect(bodyOf(again.text)).toBe(bodyOf(live.text))
  expect(bodyOf(again.text)).toContain('"one"')
  expect(bodyOf(again.text)).not.toContain('\r\n0\r\n')
  expect((await raw1(played.port, '/v1/completions', { model: 'm', prompt: 'hi' })).ended).toBe('ECONNRESET')
  expect(played.stats().faults).toEqual({ truncate: 1, reset: 1 })
})

test('a refusal is played with its status, its retry-after and its words', async () => {
  const target = await provider({
    faults: { shares: { rate_limit: 1 }, retryAfterMs: 7_000, stallMs: 0, slowHeadersMs: 0 },
  })
  const { recorder, end, path } = await record(target.url)
  const live = await post(`${recorder.url}/v1/chat/completions`, chatBody('hi'))
  const words = await live.text()
  await end()
  const played = await postChat(await replay(path), chatBody('hi'))
  expect([played.status, played.headers.get('retry-after'), await played.text()]).toEqual([429, '7', words])
})

test('a compressed answer is kept and played as it came', async () => {
  const zipped = gzipSync('{"choices":[{"message":{"content":"hi"}}]}')
  const url = await upstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(zipped)
  })
  const { recorder, end, path } = await record(url)
  await (await post(`${recorder.url}/v1/chat/completions`, chatWith(nonce(1)))).text()
  const [kept] = await end()
  expect(Buffer.from(kept?.chunks[0]?.base64 ?? '', 'base64')).toEqual(zipped)
  const played = await postChat(await replay(path), chatWith(nonce(2)))
  expect(await played.json()).toEqual({ choices: [{ message: { content: 'hi' } }] })
  expect(played.headers.get('server-timing')).toMatch(/^kt-provider;dur=/)
})

test('an upstream where nobody answers is refused with exit code 4, and one that goes away is said once', async () => {
  const refused = await record('http://127.0.0.1:9').catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(UserError)
  expect(refused).toMatchObject({
    exitCode: EXIT.inconclusive,
    message: '--upstream: http://127.0.0.1:9 cannot be reached (nothing listens at 127.0.0.1:9)',
  })
  const target = await provider()
  const { recorder, notes } = await record(target.url)
  await target.close(0)
  const answers = [1, 2].map(() => post(`${recorder.url}/v1/chat/completions`, chatBody('hi')))
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(502)
  expect(notes).toHaveLength(1)
  expect(recorder.counts.failed).toBe(2)
  expect(recorder.kept()).toBe(0)
})

test('an answer that its client left is not kept, and the upstream is not read to its end', async () => {
  const target = await provider({ latency: fixedLatency(10, 20), tokens: 200 })
  const { recorder } = await record(target.url)
  const leave = new AbortController()
  const body = JSON.stringify(chatBody('hi', { stream: true }))
  const answer = await post(`${recorder.url}/v1/chat/completions`, body, { signal: leave.signal })
  expect(answer.status).toBe(200)
  leave.abort()
  await expect.poll(() => [recorder.counts.left, target.stats().aborted]).toEqual([1, 1])
  expect(recorder.kept()).toBe(0)
})

test('a recording goes on with a cassette that was cut off: the part of a line goes, the rest stays', async () => {
  const { url } = await provider()
  const first = await record(url)
  await (await post(`${first.recorder.url}/v1/chat/completions`, chatBody('one'))).text()
  await first.end()
  appendFileSync(first.path, '{"at":"2026-11-30T00:00:00.000Z","request":{"me')
  const second = await record(url, { output: first.path })
  expect(second.notes).toEqual([`${first.path}, line 3: the cassette is cut off here; 1 answer is whole before it`])
  await (await post(`${second.recorder.url}/v1/chat/completions`, chatBody('two'))).text()
  await second.recorder.close(200)
  const lines = readFileSync(first.path, 'utf8').split('\n')
  expect(lines).toHaveLength(4)
  expect(lines[3]).toBe('')
  expect(lines.slice(0, 3).every((line) => JSON.parse(line) !== undefined)).toBe(true)
})

test('a file that is no cassette is not written to', async () => {
  const { path, end, recorder } = await record((await provider()).url)
  await (await post(`${recorder.url}/v1/chat/completions`, chatBody('one'))).text()
  await end()
  writeFileSync(path, 'my notes\n')
  const refused = await record((await provider()).url, { output: path }).catch((error: unknown) => error)
  expect(refused).toMatchObject({ exitCode: EXIT.usage })
  expect(readFileSync(path, 'utf8')).toBe('my notes\n')
})

test.skipIf(!canMount)(
  'an answer that finds the disk full while the recorder closes is told (skipped: no mount)',
  async () => {
    const dir = tempDir()
    const disk = smallDisk(dir.file('disk'))
    onTestFinished(() => {
      disk.remove()
      dir.remove()
    })
    const arrived = Promise.withResolvers<void>()
    const url = await upstream((_, response) => {
      arrived.resolve()
      setTimeout(() => response.end('x'.repeat(20_000)), 100)
    })
    const output = join(dir.file('disk'), 'c.jsonl')
    const { recorder } = await record(url, { output })
    const asked = post(`${recorder.url}/v1/chat/completions`, chatBody('hello')).then((answer) => answer.text())
    await arrived.promise
    const fault = await recorder.close(2_000)
    expect(await asked).toHaveLength(20_000)
    expect(fault).toMatchObject({ message: `--output: cannot write ${output}: no space left`, exitCode: EXIT.usage })
    expect(readFileSync(output, 'utf8').split('\n')).toHaveLength(2)
  },
)
