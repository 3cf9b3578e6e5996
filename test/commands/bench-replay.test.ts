// `kt bench --trace` as a user runs it: what is sent of a trace, how faithfully, and what is refused.
import { createReadStream, createWriteStream, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { platform } from 'node:process'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { listen, OK_BODY } from '../support/engine.ts'
import { parseBench, readBench, startKt } from '../support/kt.ts'
import { quickProvider } from '../support/provider.ts'
import { run as kt } from '../support/run-command.ts'
import { mkfifo, posix } from '../support/special-files.ts'
import { tempDir } from '../support/temp-dir.ts'
import { azureTrace, traceFixture } from '../support/traces.ts'
import { until } from '../support/waits.ts'

const dir = tempDir()
let provider: SimulatedProvider
beforeAll(async () => {
  provider = await quickProvider({ ttftMs: 1, gapMs: 0 })
})
afterAll(async () => {
  await provider.close(0)
  dir.remove()
})

const QUICK = ['--warmup', '0', '--no-jit-warmup', '--no-validate', '--output', '-']
const replayOf = (path: string, ...more: string[]) =>
  kt(['bench', '--url', provider.url, '--trace', path, ...QUICK, ...more])

it('sends each row at its time, with its tokens, and says so', async () => {
  const { code, stdout, stderr } = await replayOf(azureTrace('conv'), '--speed', '100', '--to', '2m')
  const run = parseBench(stdout)
  const rows = readFileSync(azureTrace('conv'), 'utf8').split('\n').length - 1
  expect(code).toBe(0)
  expect(run.replay).toMatchObject({ trace: 'azure-conv-2023.csv', format: 'Azure', speed: 100, toS: 120 })
  const { requests = 0, spanS = 0, arms = [] } = run.replay ?? {}
  expect(requests).toBeGreaterThan(300)
  expect(requests).toBeLessThan(rows)
  expect(spanS).toBeCloseTo(1.2, 1)
  expect(run.totals).toMatchObject({ sent: requests, successful: requests })
  expect(run.load).toMatchObject({ mode: 'open', arrival: null, requests })
  expect(run.load.rps).toBeCloseTo(requests / spanS, 0)
  const [arm] = arms
  expect(arm?.outputTokens.counted).toBe(arm?.outputTokens.asked)
  expect(arm?.inputTokens.counted).toBeGreaterThan(arm?.inputTokens.asked ?? 0)
  // How far they lie apart is a matter of the machine: test/bench/replay.test.ts has the distance itself.
  expect(arm?.gapsKs).toBeGreaterThanOrEqual(0)
  expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/Replay sent at most [\d.,]+ ms late .*gaps KS [\d.]+; input tokens/)
})

it('every format, at once to two arms, over two threads: each row once on each arm', async () => {
  for (const file of ['mooncake-conversation.jsonl', 'otel-spans.jsonl', 'burstgpt-form.csv']) {
    const more = ['--baseline-url', `${provider.url}?`, '--speed', '50', '--threads', '2']
    const { stdout, stderr } = await replayOf(traceFixture(file), ...more)
    const run = parseBench(stdout || stderr)
    const { requests } = run.replay ?? {}
    expect(run.pairing).toBe('request')
    expect([run.totals.sent, run.baseline?.totals.sent]).toEqual([requests, requests])
    const asked = run.replay?.arms.map(({ outputTokens }) => outputTokens.asked)
    expect(asked?.[0]).toBe(asked?.[1])
  }
})

it.runIf(posix)('the same from a file, a FIFO and a gzipped file: the same requests', async () => {
  const path = traceFixture('vllm-timed.jsonl')
  const zipped = dir.file('trace.jsonl.gz')
  await pipeline(createReadStream(path), createGzip(), createWriteStream(zipped))
  const fifo = mkfifo(dir.file('trace.fifo'))
  const sha = async (from: string): Promise<string> => {
    const { stdout } = await replayOf(from, '--speed', '20')
    return parseBench(stdout).load.workload.sha256
  }
  const [plain, gz] = [await sha(path), await sha(zipped)]
  const [piped] = await Promise.all([sha(fifo), pipeline(createReadStream(path), createWriteStream(fifo))])
  expect([gz, piped]).toEqual([plain, plain])
})

/** Whether the process has the file open. */
function hasOpen(pid = 0, path: string): boolean {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).some((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`) === path
    } catch {
      // It was closed meanwhile.
      return false
    }
  })
}

it.runIf(platform === 'linux')('a FIFO is waited for until somebody writes, or until Ctrl-C', async () => {
  const fifo = mkfifo(dir.file('waiting.fifo'))
  const args = ['bench', '--url', provider.url, '--trace', fifo, ...QUICK, '--speed', '20']
  const waiting = startKt(args)
  await until(() => hasOpen(waiting.child.pid, fifo))
  waiting.ctrlC()
  const { code, stderr } = await waiting.ended
  expect(code).toBe(130)
  expect(stderr).toContain(`interrupted before anything was sent of ${fifo}`)

  const late = startKt(args)
  await until(() => hasOpen(late.child.pid, fifo))
  const [ended] = await Promise.all([
    late.ended,
    pipeline(createReadStream(traceFixture('vllm-timed.jsonl')), createWriteStream(fifo)),
  ])
  expect(ended.code).toBe(0)
  expect(parseBench(ended.stdout).totals.failed).toBe(0)
})

describe('a faulty trace', () => {
  const rows = ['0,5,5', '0.1,5,5', '0.2,NaN,5', '0.3,5,5']
  const text = ['TIMESTAMP,ContextTokens,GeneratedTokens', ...rows, ''].join('\n')
  const why = "line 4, column ContextTokens: 'NaN' is not a whole number of 0 or more"

  it('of a file is told before anything is sent', async () => {
    let calls = 0
    const server = await listen(
      createServer((_request, response) => {
        calls++
        response.end(OK_BODY)
      }),
    )
    const { code, stderr } = await kt(['bench', '--url', server.origin, '--trace', dir.write('bad.csv', text)])
    await server.close()
    expect({ code, calls }).toEqual({ code: 2, calls: 0 })
    expect(stderr).toContain(why)
  })

  it.runIf(posix)('through a FIFO ends the run, without a report and a verdict', async () => {
    const fifo = mkfifo(dir.file('bad.fifo'))
    const report = dir.file('never.json')
    const args = ['bench', '--url', provider.url, '--trace', fifo, '--budget', '7ms', '--output', report]
    const [{ code, stdout, stderr }] = await Promise.all([
      kt(args),
      pipeline(createReadStream(dir.write('bad.csv', text)), createWriteStream(fifo)),
    ])
    expect(code).toBe(2)
    expect(stderr).toContain(why)
    expect(stdout).not.toMatch(/PASS|FAIL|INCONCLUSIVE/)
    expect(existsSync(report) && readFileSync(report, 'utf8') !== '').toBe(false)
  })
})

it('a replay that cannot keep up says how late it was, and proves nothing', async () => {
  const slow = await quickProvider({ ttftMs: 20, gapMs: 0 })
  const out = dir.file('late.json')
  const more = ['--speed', '200', '--to', '1m', '--max-in-flight', '1', '--threshold', 'errors.rate<50%']
  const args = ['bench', '--url', slow.url, '--trace', azureTrace('conv'), ...more, '--warmup', '0', '--output', out]
  const { code, stdout } = await kt([...args, '--threshold', 'latency.p99<1h'])
  await slow.close(0)
  const run = readBench(out)
  expect(run.client.verdict).not.toBe('ok')
  expect(run.replay?.arms[0]?.lateMs?.max).toBeGreaterThan(1_000)
  expect(stdout).toMatch(/Replay\s+sent at most [\d.,]+ ms late/)
  expect({ code, verdict: run.gate?.verdict }).toEqual({ code: 4, verdict: 'inconclusive' })
})

it('--dry-run says what would be sent, and sends nothing', async () => {
  const { stdout } = await kt(['bench', '--trace', azureTrace('code'), '--dry-run', '--json'])
  const dry = JSON.parse(stdout) as { sends: Record<string, number>; request: { body: string } }
  expect(dry.sends).toMatchObject({ requests: 2_200, inputTokens: 1_997, outputTokens: 30 })
  expect(dry.request.body).toMatch(/"max_tokens":10\}$/)
})
