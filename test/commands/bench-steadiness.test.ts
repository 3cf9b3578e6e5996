import { readFileSync } from 'node:fs'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { BenchReport } from '../../src/report/schema.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

let server: TestServer | undefined
afterEach(() => server?.close())

/** Answers as slowly as `delayMs` says, by the seconds since the first request. */
async function answering(delayMs: (seconds: number) => number): Promise<string> {
  let firstMs: number | undefined
  server = await httpServer((request, response) => {
    firstMs ??= performance.now()
    request.resume()
    setTimeout(() => response.end(OK_BODY), delayMs((performance.now() - firstMs) / 1_000))
  })
  return server.origin
}

/** By the intended times, so that the median of each block is that of the server. */
const PACE = ['--duration', '5s', '--rps', '40', '--warmup', '0']
const RUN = [...PACE, '--no-validate', '--no-jit-warmup', '--no-floor']

async function run(url: string, more: readonly string[] = []) {
  const file = dir.file('r.json')
  const { code, stdout } = await kt(['bench', '--url', url, ...RUN, ...more, '--output', file])
  const { arms }: BenchReport = JSON.parse(readFileSync(file, 'utf8'))
  return { code, text: stdout.replaceAll(/\s+/g, ' '), steadiness: arms[0].steadiness }
}

test('a run that is steady says nothing of it, and the report does', async () => {
  const { text, steadiness } = await run(await answering(() => 150))
  expect(steadiness).toMatchObject({ test: 'Heidelberger-Welch', steady: true, by: 'blocks' })
  expect(text).not.toContain('Steady never')
})

test('a transient that the warm-up left in is told, with its end', async () => {
  const { text, steadiness } = await run(await answering((seconds) => (seconds < 1 ? 500 : 100)))
  expect(steadiness?.steady).toBe(true)
  expect(steadiness?.fromS).toBeGreaterThan(0.3)
  expect(steadiness?.fromS).toBeLessThan(3)
  expect(text).toMatch(/Steady from \S+ m?s on, by latency \(Heidelberger-Welch\); it had no warm-up: --warmup/)
})

test('a run that never becomes steady says so; what rises passes no latency, and errors as before', async () => {
  const limits = ['--threshold', 'latency.p50<20s', '--threshold', 'errors.rate<50%']
  const { code, text, steadiness } = await run(await answering((seconds) => 80 + 150 * seconds), limits)
  expect(steadiness).toMatchObject({ steady: false, fromS: null })
  expect(steadiness?.drift).toBeGreaterThan(0.15)
  expect(text).toMatch(/Steady never: latency still rose by [\d.]+ %/)
  expect(text).toContain('but latency was still rising when the run ended')
  expect(code).toBe(4)
})
