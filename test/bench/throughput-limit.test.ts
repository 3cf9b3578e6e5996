// Whether the throughput of a closed loop is the target's: by the client's own share of the time, and by what its
// threads can send.
import { afterEach, expect, it } from 'vitest'
import { judgeBench } from '../../src/bench/judge-bench.ts'
import { judgeLimit, type ThroughputLimit } from '../../src/bench/throughput-limit.ts'
import { limitNote } from '../../src/output/throughput-lines.ts'
import { threshold } from '../../src/verdict/thresholds.ts'
import { type TestServer, tcpServer } from '../support/engine.ts'
import { kt, parseBench } from '../support/kt.ts'
import { makeRun } from '../support/make-report.ts'
import { quickProvider } from '../support/provider.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

it.each([
  ['idle, without a probe', 0.2, 100, null, 'target'],
  ['half busy, without a probe', 0.6, 100, null, 'unknown'],
  ['busy, without a probe', 0.95, 100, null, 'client'],
  ['half busy, with much to spare', 0.6, 100, 1_000, 'target'],
  ['half busy, with a probe that was slower than the run', 0.6, 900, 1_000, 'target'],
  ['mostly busy, with little to spare', 0.85, 900, 1_000, 'client'],
  ['busy, whatever the probe says', 0.95, 100, 1_000, 'client'],
] as const)('a client that is %s', (_, ownShare, perSec, capacityPerSec, by) => {
  expect(judgeLimit(ownShare, perSec, capacityPerSec).by).toBe(by)
})

it('what the run sent in its share of the time is the least that kt can send', () => {
  expect(judgeLimit(0.96, 78_000, 15_718)).toEqual({ by: 'client', ownShare: 0.96, capacityPerSec: 81_250 })
  expect(judgeLimit(0, 0, 500).capacityPerSec).toBe(500)
})

/** The verdicts of a run of 200 requests a second on a lower limit and a higher one. */
function judged(by: ThroughputLimit['by']) {
  const run = makeRun({ role: 'gateway' }, ({ client }) => {
    client.throughputLimit = { by, ownShare: 0.6, capacityPerSec: 210 }
  })
  const thresholds = ['throughput.rps>1', 'throughput.rps>100000'].map((text) => threshold.parse(text))
  return judgeBench(run, { budgetMs: undefined, maxRegression: undefined, thresholds })?.checks ?? []
}

it('a rate that kt limited is the least that the target carries: it passes a limit, and misses none', () => {
  expect(judged('target').map(({ verdict }) => verdict)).toEqual(['pass', 'fail'])
  const checks = judged('client')
  expect(checks.map(({ verdict }) => verdict)).toEqual(['pass', 'inconclusive'])
  expect(checks[1]?.why).toContain('kt was the limit, not the target')
})

it('a slow target is found to be the limit by a probe, which is in no figure', async () => {
  const provider = await quickProvider({ ttftMs: 20 })
  const args = ['bench', '--url', provider.url, '--requests', '60', '--concurrency', '2', '--warmup', '4', '--json']
  const { code, stdout } = await kt([...args, '--threshold', 'throughput.rps>1'])
  const plain = await kt(args)
  await provider.close()
  expect(code).toBe(0)
  const { client, totals, throughput } = parseBench(stdout)
  expect(totals.sent).toBe(60)
  expect(client.throughputLimit?.by).toBe('target')
  expect(client.throughputLimit?.capacityPerSec).toBeGreaterThan(2 * throughput.requestsPerSec)
  expect(limitNote({ client })).toMatch(/^the target was the limit: kt was busy [\d.]+ % of the time, and could send/)
  // A short run that claims nothing is not probed.
  expect(parseBench(plain.stdout).client.throughputLimit).toMatchObject({ by: 'target', capacityPerSec: null })
})

it('kt is found to be the limit where a target answers faster than it reads; open loops ask for a rate', async () => {
  const event = 'data: {"choices":[{"index":0,"delta":{"content":"word"}}]}\n\n'
  const body = `${event.repeat(200)}data: [DONE]\n\n`
  const answer = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  server = await tcpServer((socket) => socket.on('data', () => socket.write(answer)))
  const args = ['bench', '--url', server.origin, '--stream', '--duration', '1500ms', '--warmup', '100', '--no-floor']
  const { code, stdout } = await kt([...args, '--concurrency', '60', '--threshold', 'throughput.rps>1000000'])
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('at least that: kt itself was the limit')
  expect(code).toBe(4)
  const open = await kt([...args, '--rps', '50', '--json'])
  expect(parseBench(open.stdout).client.throughputLimit).toBeUndefined()
})
