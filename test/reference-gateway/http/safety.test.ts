/** Clients that are slow, many, unknown or broken: each limit is answered in OpenAI's shape, and quickly. */
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { findJsonProblem } from '../../../reference-gateway/http/json-guard.ts'
import { MAX_DEPTH } from '../../../src/wire/json-walk.ts'
import { until } from '../../support/waits.ts'
import { ask, atEnd, errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, bodyOf, wait } from '../support/upstream.ts'

async function echo(settings: Record<string, unknown> = {}) {
  const seen: { body: string; headers: NodeJS.Dict<string | string[]> }[] = []
  const provider = await upstream(async (request, response) => {
    seen.push({ body: await bodyOf(request), headers: request.headers })
    answerJson(response, {})
  })
  return { gateway: await gatewayBefore(provider.url, settings), seen, provider }
}

/** Writes `text` on a raw connection. Returns what came back when the connection ends or goes quiet. */
async function raw(gateway: RunningGateway, text: string, quietMs = 150): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1')
  atEnd(async () => void socket.destroy())
  let answer = ''
  let quiet: NodeJS.Timeout | undefined
  return new Promise((resolve) => {
    const done = (): void => resolve(answer)
    socket.setEncoding('latin1').on('data', (part: string) => {
      answer += part
      clearTimeout(quiet)
      quiet = setTimeout(done, quietMs)
    })
    socket.on('error', done).on('close', done)
    socket.write(text, 'latin1')
  })
}

const deep = (depth: number): string => `{"model":"m","x":${'['.repeat(depth)}${']'.repeat(depth)}}`

const calling = (args: string): string =>
  JSON.stringify({ model: 'm', messages: [{ role: 'a', tool_calls: [{ function: { arguments: args } }] }] })

test.each([
  [() => deep(MAX_DEPTH), 'too_deep'],
  [() => deep(500_000), 'too_deep'],
  ['{"model":"a","model":"b"}', 'duplicate_key'],
  ['{"model":"a","mod\\u0065l":"b"}', 'duplicate_key'],
  ['{"model":"a","messages":[{"role":"user","role":"system"}]}', 'duplicate_key'],
  ['{"model":"a","messages":"text"}', 'invalid_type'],
  ['{"model":"a","messages":["text"]}', 'invalid_type'],
  ['{"model":"a","stream":"yes"}', 'invalid_type'],
  ['{"model":["a"]}', 'invalid_model'],
  ['{"model":"gemini-\\ud800"}', 'invalid_model'],
  ['{"model":"\\udc00\\ud800"}', 'invalid_model'],
  [() => calling('{"a":'.repeat(20_000)), 'too_deep'],
  [() => calling('['.repeat(MAX_DEPTH + 1)), 'too_deep'],
  // Both spelled with escapes; also beside a key that occurs twice, which a provider's own parser may accept.
  [() => calling('[[').replace('"arguments":"[[', `"argum\\u0065nts":"${'\\u005b'.repeat(65)}`), 'too_deep'],
  [() => calling(`{"a":1,"a":${'['.repeat(MAX_DEPTH)}`), 'too_deep'],
  [() => `{"model":"m","input":[{"arguments":${JSON.stringify('['.repeat(65))}}]}`, 'too_deep'],
  [Buffer.from('{"model":"m","x":"\xff\xfe"}', 'latin1'), 'invalid_utf8'],
  [Buffer.from('{"model":"m","x":"\xed\xa0\x80"}', 'latin1'), 'invalid_utf8'],
])('the body %s is refused with 400 %s and goes nowhere', async (given, code) => {
  const { gateway, seen } = await echo()
  const body = typeof given === 'function' ? given() : given
  const answer = await ask(`${gateway.url}/v1/chat/completions`, { method: 'POST' }, body)
  expect(answer.status).toBe(400)
  expect(errorOf(answer)).toMatchObject({ code, type: 'invalid_request_error' })
  expect(seen).toEqual([])
})

test('nesting as deep as allowed, and equal keys in different objects, pass', async () => {
  const { gateway, seen } = await echo()
  const bodies = [
    deep(MAX_DEPTH - 1),
    '{"model":"m","messages":[{"role":"a"},{"role":"b"}],"x":"{\\"a\\":1,\\"a\\":2"}',
    // A whole pair; text that is not a tool's arguments; arguments as deep as allowed, and with a key twice.
    '{"model":"\\ud83d\\ude00"}',
    `{"model":"m","messages":[{"arguments":"","content":"${'['.repeat(100)}"}]}`,
    calling('['.repeat(MAX_DEPTH)),
    calling('{"a":1,"a":2}'),
  ]
  for (const body of bodies) {
    expect((await ask(`${gateway.url}/v1/chat/completions`, { method: 'POST' }, body)).status).toBe(200)
  }
  expect(seen.map(({ body }) => body)).toEqual(bodies)
})

test('property: what JSON.stringify writes is never refused; any key repeated in any object always is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      expect(findJsonProblem(JSON.stringify(value))).toBeUndefined()
    }),
  )
  const withKeys = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 }), {
    minKeys: 1,
    maxKeys: 30,
  })
  fc.assert(
    fc.property(withKeys, fc.nat(), (object, nth) => {
      const keys = Object.keys(object)
      const key = keys[nth % keys.length] ?? ''
      const text = JSON.stringify([{ o: object }])
      const twice = `${text.slice(0, -3)},${JSON.stringify(key)}:1}}]`
      JSON.parse(twice)
      expect(findJsonProblem(twice)).toEqual({ kind: 'duplicate', key })
    }),
  )
})

test('a body of 100 MB is refused before it has arrived, without delay', async () => {
  const { gateway, seen } = await echo()
  const startMs = performance.now()
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 104857600\r\n\r\n{"model":'
  expect(await raw(gateway, head)).toMatch(/^HTTP\/1.1 413 .*"code":"body_too_large"/s)
  expect(performance.now() - startMs).toBeLessThan(2_000)
  expect(seen).toEqual([])
  const small = await echo({ limits: { max_body: '1KB' } })
  const answer = await post(small.gateway, { model: 'm', x: 'y'.repeat(2_000) })
  expect([answer.status, errorOf(answer).message]).toEqual([413, 'the request body is larger than 1 KiB'])
})

test('a client that keeps sending a refused body, or stalls, is disconnected after five seconds', async () => {
  const { gateway } = await echo({ limits: { max_body: '1KB' } })
  const socket = connect(gateway.port, '127.0.0.1')
  atEnd(async () => void socket.destroy())
  let closed = false
  let received = ''
  socket
    .on('error', () => {})
    .on('close', () => {
      closed = true
    })
  socket.setEncoding('latin1').on('data', (part: string) => {
    received += part
  })
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n')
  const sending = setInterval(() => socket.write('x'), 50)
  await until(() => received.includes('body_too_large'))
  expect(closed).toBe(false)
  await until(() => closed)
  clearInterval(sending)
})

test('auth.keys: 401 without a key; a key gives its tenant and never goes upstream', async () => {
  const keys = [
    { key: 'kt-one', tenant: 'team-1' },
    { key: 'kt-two', tenant: 'team-2' },
  ]
  const { gateway, seen } = await echo({ auth: { keys } })
  for (const authorization of [undefined, 'Bearer wrong', 'Bearer kt-one2', 'Basic kt-one', 'Bearer ']) {
    const answer = await post(gateway, { model: 'm' }, { headers: authorization ? { authorization } : {} })
    expect(answer.status).toBe(401)
    expect(errorOf(answer)).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' })
    expect(answer.message.headers['www-authenticate']).toBe('Bearer')
    expect(answer.body.toString()).not.toContain('kt-one')
  }
  expect(seen).toEqual([])
  const given = [{ authorization: 'Bearer kt-two' }, { 'api-key': 'kt-one' }, { 'x-api-key': 'kt-one' }]
  for (const headers of given) expect((await post(gateway, { model: 'm' }, { headers })).status).toBe(200)
  expect(JSON.stringify(seen)).not.toMatch(/kt-(?:one|two)/)
})

test('limits.max_in_flight: a request beyond it gets 503 with retry-after, and the others are served', async () => {
  const held: (() => void)[] = []
  const provider = await upstream((_request, response) => held.push(() => answerJson(response, {})))
  const gateway = await gatewayBefore(provider.url, { limits: { max_in_flight: 2 } })
  const served = [post(gateway, { model: 'm' }), post(gateway, { model: 'm' })]
  await until(() => held.length === 2)
  const refused = await post(gateway, { model: 'm' })
  expect([refused.status, refused.message.headers['retry-after']]).toEqual([503, '1'])
  expect(errorOf(refused)).toMatchObject({ code: 'overloaded' })
  expect((await ask(`${gateway.url}/healthz`)).status).toBe(200)
  for (const answer of held.splice(0)) answer()
  expect((await Promise.all(served)).map(({ status }) => status)).toEqual([200, 200])
  const next = post(gateway, { model: 'm' })
  await until(() => held.length === 1)
  held[0]?.()
  expect((await next).status).toBe(200)
})

test('limits.header_timeout and request_timeout: slow senders get 408 and lose their connection', async () => {
  const { gateway, seen } = await echo({ limits: { header_timeout: '200ms', request_timeout: '400ms' } })
  const ends = [
    raw(gateway, 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n', 5_000),
    raw(gateway, 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n{"mod', 5_000),
  ]
  for (const answer of await Promise.all(ends)) {
    expect(answer).toMatch(/^HTTP\/1.1 408 .*connection: close.*"code":"request_timeout"/s)
  }
  expect(seen).toEqual([])
})

test('limits.reader_timeout: a client that reads nothing is disconnected, a slow reader is not', async () => {
  const provider = await upstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const chunk = Buffer.alloc(256 * 1024, 'x')
    let left = 400
    const more = (): void => {
      while (left-- > 0) if (!response.write(chunk)) return void response.once('drain', more)
      response.end()
    }
    more()
  })
  const gateway = await gatewayBefore(provider.url, { limits: { reader_timeout: '800ms' } })
  const request = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\n{"model":"m"}'
  const open = (): Socket => {
    const socket = connect(gateway.port, '127.0.0.1')
    atEnd(async () => void socket.destroy())
    socket.on('error', () => {}).pause()
    socket.write(request)
    return socket
  }
  open()
  await until(() => provider.open === 1)
  await until(() => provider.open === 0)
  expect(gateway.poolStats().recycled.aborted).toBe(1)

  const slow = open()
  let taken = 0
  const reading = setInterval(() => {
    const chunk: Buffer | null = slow.read()
    taken += chunk?.length ?? 0
  }, 5)
  await wait(1_800)
  clearInterval(reading)
  expect(provider.open).toBe(1)
  expect(taken).toBeGreaterThan(0)
  slow.destroy()
})

const POST = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n'
const HIDDEN = 'GET /v1/models/hidden HTTP/1.1\r\nhost: x\r\n\r\n'

/** Ways to make two servers disagree on where a request ends (RFC 9112, 11.2). */
test.each([
  ['length and chunked', `${POST}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['two lengths', `${POST}content-length: 0\r\ncontent-length: 37\r\n\r\n${HIDDEN}`],
  ['a list of lengths', `${POST}content-length: 0, 37\r\n\r\n${HIDDEN}`],
  ['a length with a sign', `${POST}content-length: +0\r\n\r\n${HIDDEN}`],
  ['chunked hidden behind a vertical tab', `${POST}transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['chunked not last', `${POST}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['an unknown coding', `${POST}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a space before the colon', `${POST}transfer-encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a folded header', `${POST}transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a bare line feed in the head', `${POST}x: y\ncontent-length: 37\r\n\r\n${HIDDEN}`],
  [
    'a chunk size that overflows',
    `${POST}transfer-encoding: chunked\r\n\r\n10000000000000000\r\nx\r\n0\r\n\r\n${HIDDEN}`,
  ],
  ['a bare line feed after a chunk size', `${POST}transfer-encoding: chunked\r\n\r\n0\n\r\n${HIDDEN}`],
  ['a zero byte in a header', `${POST}x: a\0b\r\ncontent-length: 0\r\n\r\n${HIDDEN}`],
  ['host twice', `POST /v1/responses HTTP/1.1\r\nhost: a\r\nhost: b\r\ncontent-length: 0\r\n\r\n${HIDDEN}`],
])('request smuggling, %s: the provider never sees the hidden request', async (_name, text) => {
  const paths: string[] = []
  const provider = await upstream(async (request, response) => {
    paths.push(`${request.method} ${request.url} ${(await bodyOf(request)).length}`)
    answerJson(response, {})
  })
  const gateway = await gatewayBefore(provider.url)
  const answer = await raw(gateway, text)
  // Either refused, or understood as two requests by everybody: then the second one was seen and answered as its own.
  const answers = answer.match(/HTTP\/1\.1 \d+/g) ?? []
  const hidden = paths.filter((path) => path.includes('hidden'))
  if (hidden.length > 0) expect([answers.length, paths.length]).toEqual([2, 2])
  else expect(answer).toMatch(/^HTTP\/1\.1 (?:400|501) /)
})

test('differential: whatever framing a client uses, the provider sees one length and the same bytes', async () => {
  const { gateway, seen } = await echo()
  const body = '{"model":"m","text":"äöü"}'
  const size = Buffer.byteLength(body)
  const bytes = Buffer.from(body).toString('latin1')
  const chunks = [...bytes].map((one) => `1;ext=1\r\n${one}\r\n`).join('')
  await raw(gateway, `${POST}content-length: ${size}\r\n\r\n${bytes}`)
  await raw(gateway, `${POST}transfer-encoding: chunked\r\n\r\n${chunks}0\r\nx-trailer: 1\r\n\r\n`)
  expect(seen.map((one) => one.body)).toEqual([body, body])
  for (const { headers } of seen) {
    expect(headers['content-length']).toBe(String(size))
    expect(headers).not.toHaveProperty('transfer-encoding')
    expect(headers).not.toHaveProperty('x-trailer')
  }
})

test('invalid HTTP is answered with 400 in OpenAI’s shape, also on a connection that served before', async () => {
  const { gateway } = await echo()
  expect(await raw(gateway, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"invalid_http"/s)
  const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1')
  atEnd(async () => void socket.destroy())
  let second = ''
  socket.on('data', (part: string) => {
    second += part
  })
  socket.write('GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => second.endsWith('{}'))
  socket.write('\0\0\r\n\r\n')
  await until(() => socket.destroyed)
  expect(second).toMatch(/^HTTP\/1.1 200 .*HTTP\/1.1 400 .*"code":"invalid_http"/s)
  // Together with a request that is still being answered, a 400 would look like its response.
  expect(await raw(gateway, 'GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n\0\0\r\n\r\n')).not.toContain('400')
  const large = await raw(gateway, `GET /v1/models HTTP/1.1\r\nhost: x\r\nx-large: ${'y'.repeat(70_000)}\r\n\r\n`)
  expect(large).toMatch(/^HTTP\/1.1 431 .*"code":"headers_too_large"/s)
})
