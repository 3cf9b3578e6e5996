// Recording and replaying as a user does: processes, a gateway, a bench.
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { EXIT } from '../../src/errors.ts'
import { readCassette } from '../../src/provider/cassette/cassette.ts'
import { chatBody, fixedLatency, post, provider } from '../provider/support.ts'
import { type KtProcess, kt, readBench, startKt } from '../support/kt.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

async function listen(...args: string[]): Promise<KtProcess & { url: string }> {
  const server = startKt([...args, '--port', '0', '--json'], {}, dir.path)
  // Also where the test fails before it ends the server itself.
  onTestFinished(() => void server.child.kill('SIGKILL'))
  if (!server.child.stdout) throw new Error('a server without output')
  const [line] = await once(createInterface({ input: server.child.stdout }), 'line')
  return { ...server, url: z.object({ url: z.string() }).parse(JSON.parse(String(line))).url }
}

test('Ctrl-C ends a recording in order; its cassette, played behind a gateway, gives stamped overhead', async () => {
  const target = await provider({ latency: fixedLatency(30, 2), tokens: 10 })
  const recorder = await listen('provider', 'record', '--upstream', target.url, '--output', 'c.jsonl')
  const load = ['--requests', '12', '--warmup', '2', '--concurrency', '2', '--stream', '--max-tokens', '10']
  expect((await kt(['bench', '--url', recorder.url, ...load], {}, dir.path)).code).toBe(EXIT.passed)
  recorder.ctrlC()
  const { code, stderr } = await recorder.ended
  expect(code).toBe(0)
  const lines = readFileSync(dir.file('c.jsonl'), 'utf8').trimEnd().split('\n')
  expect(stderr).toContain(`kt: ${lines.length - 1} answers recorded in c.jsonl`)

  const played = await listen('provider', 'start', '--replay', 'c.jsonl', '--speed', '2')
  const gateway = await listen('gateway', 'start', '--upstream', `${played.url}/v1`, '--admin-port', 'off')
  const bench = ['bench', '--url', gateway.url, '--baseline-url', played.url, ...load, '--output', 'report.json']
  const run = await kt(bench, {}, dir.path)
  expect(run.code, run.stderr).toBe(EXIT.passed)
  const { overhead } = readBench(dir.file('report.json'))
  expect(overhead.map(({ definition, count, negative }) => [definition, count, negative])).toContainEqual([
    'provider-stamped',
    12,
    0,
  ])
  const stats = z.object({ played: z.object({ exact: z.number(), nearest: z.number() }) })
  const { exact, nearest } = stats.parse(await (await fetch(`${played.url}/__kt/stats`)).json()).played
  expect(exact).toBeGreaterThan(24)
  expect(nearest).toBe(0)
  for (const { child, ended } of [gateway, played]) {
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  }
})

test('a recorder that is killed leaves a cassette that is good up to its last whole answer', async () => {
  const target = await provider({ latency: fixedLatency(20, 100), tokens: 40 })
  const recorder = await listen('provider', 'record', '--upstream', target.url, '--output', 'killed.jsonl')
  const ask = (tokens: number): Promise<Response> =>
    post(`${recorder.url}/v1/chat/completions`, chatBody('hi', { stream: true, max_tokens: tokens }))
  for (let i = 0; i < 3; i++) await (await ask(1)).text()
  const inFlight = await ask(40)
  recorder.child.kill('SIGKILL')
  await recorder.ended
  await expect(inFlight.text()).rejects.toThrow()
  expect(readCassette(dir.file('killed.jsonl'))).toMatchObject({ answers: [{}, {}, {}], notes: [] })
})

test('what is wrong is told in a sentence: a cassette with exit code 2, an upstream with 4', async () => {
  const head = { schema: 'kt.cassette/2', kt: '9', startedAt: 'then', upstream: 'https://x' }
  writeFileSync(dir.file('new.jsonl'), `${JSON.stringify(head)}\n`)
  const [newer, gone, both] = await Promise.all([
    kt(['provider', 'start', '--replay', 'new.jsonl'], {}, dir.path),
    kt(['provider', 'record', '--upstream', 'http://127.0.0.1:9', '--output', 'x.jsonl'], {}, dir.path),
    kt(['provider', 'start', '--replay', 'new.jsonl', '--ttft', '20ms', '--fault', 'reset=1%'], {}, dir.path),
  ])
  expect([newer.code, gone.code, both.code]).toEqual([EXIT.usage, EXIT.inconclusive, EXIT.usage])
  expect(newer.stderr).toContain('new.jsonl, line 1: the cassette is of version kt.cassette/2')
  expect(gone.stderr).toContain('--upstream: http://127.0.0.1:9 cannot be reached (nothing listens at 127.0.0.1:9)')
  expect(both.stderr).toContain('--ttft shapes simulated answers')
  expect(both.stderr).toContain('--fault shapes simulated answers')
})
