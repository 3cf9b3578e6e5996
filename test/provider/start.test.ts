import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../support/waits.ts'
import { post2, session2 } from './http-client.ts'
import { chatBody, post } from './support.ts'

const kt = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** `kt provider start` as a user runs it. The tests run on what `npm run build` made. */
function start(...flags: string[]) {
  const child = spawn(process.execPath, [kt, 'provider', 'start', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const seen = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    seen.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    seen.err += chunk.toString()
  })
  const exit = once(child, 'close').then(([code]) => code as number | null)
  return { child, seen, exit }
}

async function takenPort(): Promise<number> {
  const server = createServer()
  onTestFinished(() => {
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

test('it says where it listens, serves, and ends with 0 when asked to', async () => {
  const { child, seen, exit } = start('--port', '0', '--ttft', '0ms', '--token-gap', '0ms', '--tokens', '3')
  await until(() => seen.out.includes('\n'), 'it listens')
  const url = /^kt provider listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(seen.out)?.[1]
  const response = await post(`${url}/v1/chat/completions`, chatBody('hi'))
  expect(await response.json()).toMatchObject({ usage: { completion_tokens: 3 } })
  child.kill('SIGTERM')
  expect(await exit).toBe(0)
  expect(seen.err).toBe('')
})

test('--json prints one line; a taken port is given up for the next where that is allowed', async () => {
  const port = await takenPort()
  const { child, seen, exit } = start('--port', String(port), '--next-free-port', '--json')
  await until(() => seen.out.includes('\n'), 'it listens')
  const { url, pid } = JSON.parse(seen.out) as { url: string; pid: number }
  expect(pid).toBe(child.pid)
  expect(seen.err).toBe(`kt: port ${port} is taken; the provider took ${new URL(url).port}\n`)
  child.kill('SIGINT')
  expect(await exit).toBe(0)
})

test('--tls names the certificate that clients trust it by, and takes it away at the end', async () => {
  const { child, seen, exit } = start('--port', '0', '--http2', '--tls', '--ttft', '0ms', '--json')
  await until(() => seen.out.includes('\n'), 'it listens')
  const { url, ca } = JSON.parse(seen.out) as { url: string; ca: string }
  expect(seen.err).toContain(ca)
  const session = await session2(url, { ca: readFileSync(ca) })
  expect(await post2(session, '/v1/chat/completions', chatBody('hi'))).toMatchObject({ status: 200 })
  session.destroy()
  child.kill('SIGTERM')
  expect(await exit).toBe(0)
  expect(existsSync(ca)).toBe(false)
})

test('a profile, with flags over it', async () => {
  const flags = ['--profile', 'flaky', '--rate-limit', '100%', '--error-rate', '0%']
  const none = ['overloaded', 'reset', 'truncate', 'stall', 'malformed', 'error_event', 'slow_headers']
  const { seen } = start('--port', '0', '--json', ...flags, ...none.flatMap((fault) => ['--fault', `${fault}=0`]))
  await until(() => seen.out.includes('\n'), 'it listens')
  const { url } = JSON.parse(seen.out) as { url: string }
  const response = await post(`${url}/v1/chat/completions`, chatBody('hi'))
  expect(response.status).toBe(429)
  expect(response.headers.get('retry-after')).toBe('1')
})

test.each([
  [['--ttft', 'soon'], /--ttft: 'soon' is not a delay/],
  [['--token-gap', 'lognormal(2ms)'], /--token-gap: .* is not a delay/],
  [['--tokens', '0'], /--tokens: must be a whole number of at least 1, not 0/],
  [['--api-key', ''], /--require-key: is empty/],
  [['--host', '192.0.2.1'], /not one of this machine/],
  [['--profile', 'opnai'], /no profile 'opnai' \(did you mean 'openai'\?\)/],
  [['--fault', 'reset=2'], /--fault: reset: '2' is not a share/],
  [['--tokns', '5'], /--tokns[\s\S]*--tokens/],
])('%j ends with 2, one message and no stack', async (flags, message) => {
  const { seen, exit } = start('--port', '0', ...flags)
  expect(await exit).toBe(2)
  expect(seen.err).toMatch(message)
  expect(seen.err).not.toMatch(/\n\s+at /)
  expect(seen.out).toBe('')
})

test('a taken port ends with 2 and says what to do', async () => {
  const port = await takenPort()
  const { seen, exit } = start('--port', String(port))
  expect(await exit).toBe(2)
  expect(seen.err).toMatch(new RegExp(`port ${port} is taken\\n +Choose another`))
})
