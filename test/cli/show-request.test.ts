// kt bench --show-request: one exchange as it was on the wire, without keys.
import { afterAll, expect, test } from 'vitest'
import { httpServer, OK_BODY } from '../support/engine.ts'
import { run } from '../support/run-command.ts'

const seen: { url: string; headers: Record<string, unknown>; body: string }[] = []
const server = await httpServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (part: string) => {
    body += part
  })
  request.on('end', () => {
    seen.push({ url: request.url ?? '', headers: request.headers, body })
    if (request.url?.startsWith('/broken')) {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('half', () => response.destroy())
      return
    }
    response.writeHead(200, { 'x-echo': String(request.headers.authorization) }).end(OK_BODY)
  })
})
afterAll(() => server.close())

const KEYS = ['--api-key', 'sk-a-secret-key', '-H', 'X-Team: top-secret-team', '--no-config']

test('it sends one request, and prints it and its answer without keys', async () => {
  const { code, stdout } = await run(['bench', server.origin, ...KEYS, '--show-request', '-n', '500'])
  expect(code).toBe(0)
  expect(seen).toHaveLength(1)
  expect(seen[0]).toMatchObject({
    url: '/v1/chat/completions',
    headers: { authorization: 'Bearer sk-a-secret-key', 'x-team': 'top-secret-team' },
  })
  expect(stdout).toContain('POST /v1/chat/completions HTTP/1.1')
  expect(stdout).toContain('authorization: Bearer ***')
  // The target echoes the key.
  expect(stdout).toContain('x-echo: Bearer ***')
  expect(stdout).toContain(OK_BODY.slice(0, 20))
  expect(stdout).not.toMatch(/secret/)
})

test('of a sweep it is one request too', async () => {
  const before = seen.length
  const { code, stdout } = await run(['bench', 'sweep', server.origin, ...KEYS, '--show-request', '-c', '1,2'])
  expect(code).toBe(0)
  expect(seen).toHaveLength(before + 1)
  expect(stdout).toContain('POST /v1/chat/completions HTTP/1.1')
})

test('as JSON: what was shown is what was sent', async () => {
  const { stdout } = await run(['bench', server.origin, ...KEYS, '--debug', '--json'])
  const exchange = JSON.parse(stdout)
  expect(exchange).toMatchObject({ schema: 'kt.exchange/1', error: null, answer: { status: 200, body: OK_BODY } })
  expect(exchange.request.body).toBe(seen.at(-1)?.body)
  expect(exchange.request.head).toContain(`content-length: ${Buffer.byteLength(exchange.request.body)}`)
})

test.each([
  ['an answer that breaks off', () => `${server.origin}/broken/v1`, /The answer broke off: /],
  ['nobody there', () => 'http://127.0.0.1:1', /No answer: /],
])('%s: exit 4, with the reason', async (_, url, words) => {
  const { code, stdout } = await run(['bench', url(), '--no-config', '--show-request'])
  expect(code).toBe(4)
  expect(stdout).toMatch(words)
})

test('it does not go with --dry-run', async () => {
  const { code, stderr } = await run(['bench', '--no-config', '--show-request', '--dry-run'])
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('Leave one of them out.') })
})
