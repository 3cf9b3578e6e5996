// The floor of a run without a direct arm: measured at a null upstream, named in report and output, and judged like
// any floor.
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmbeddedPair, startEmbeddedPair } from '../../src/bench/embedded.ts'
import { judgeBench } from '../../src/bench/judge-bench.ts'
import { writeHistogram } from '../../src/report/histogram-text.ts'
import { readRun } from '../../src/report/read.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { kt } from '../support/kt.ts'
import { around, makeRun } from '../support/make-report.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
let pair: EmbeddedPair
beforeAll(async () => {
  pair = await startEmbeddedPair(30, () => {})
})
afterAll(async () => {
  await pair.close()
  dir.remove()
})

test('a single run through a gateway has a floor of its own, without what the gateway adds', async () => {
  const path = dir.file('r.json')
  const flags = ['--url', pair.gatewayUrl, '--requests', '60', '--concurrency', '6', '--max-tokens', '2', '--stream']
  const { code, stdout } = await kt(['bench', ...flags, '--floor', '--explain', '--output', path])
  expect(code).toBe(0)
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /measurement floor, at a null upstream: P50 [\d.]+ ms, P99 [\d.]+, n=\d+/,
  )
  const { client, overhead } = readRun(path)
  expect(client.floorMs?.source).toBe('null-upstream')
  expect(client.floorMs?.count).toBeGreaterThan(10)
  expect(client.floorMs?.p50).toBeGreaterThan(0)
  // The gateway waits 30 ms in every request; the null upstream has no gateway.
  expect(client.floorMs?.p50).toBeLessThan(overhead[0]?.totalMs.p50 ?? 0)
})

test('a short run that judges no budget has none unless asked; a run with a direct arm has that one', async () => {
  const path = dir.file('short.json')
  const flags = ['--url', pair.gatewayUrl, '--requests', '20', '--max-tokens', '1', '--output', path]
  await kt(['bench', ...flags])
  expect(JSON.parse(readFileSync(path, 'utf8')).client.floorMs).toBeNull()
  await kt(['bench', ...flags, '--floor', '--baseline-url', pair.providerUrl])
  expect(JSON.parse(readFileSync(path, 'utf8')).client.floorMs).toMatchObject({ source: 'direct-arm' })
})

test('the floor of a replay has its rate, however far apart its first rows are', async () => {
  const rows = Array.from({ length: 40 }, (_, row) => `${row === 0 ? 0 : 3 + row / 40},4,2`)
  const trace = dir.file('late.csv')
  writeFileSync(trace, ['time,in,out', ...rows].join('\n'))
  const path = dir.file('replay.json')
  const columns = ['--trace-columns', 'at=time,input=in,output=out']
  const { code } = await kt([
    'bench',
    '--url',
    pair.gatewayUrl,
    '--trace',
    trace,
    ...columns,
    '--floor',
    '--output',
    path,
  ])
  expect(code).toBe(0)
  const { client, totals } = readRun(path)
  expect(totals.successful).toBe(40)
  expect(client.floorMs?.count).toBeGreaterThan(2)
})

/** A run that passes 7 ms by itself, with a floor of `readings` readings of 3 ms: more than a quarter of it. */
function judged(readings: number): string | undefined {
  const blocks = Array.from({ length: 10 }, () => {
    const block = new Histogram()
    for (let i = 0; i < readings / 10; i++) block.record(3_000)
    return writeHistogram(block)
  })
  const report = makeRun({ role: 'gateway', added: around(1) }, ({ client }) => {
    client.floorMs = { p50: 3, p99: 3, source: 'null-upstream', count: readings, blocks }
  })
  const [check] = judgeBench(report, { budgetMs: 7, maxRegression: undefined, thresholds: [] })?.checks ?? []
  return `${check?.verdict}: ${check?.why}`
}

test(
  'a floor over a quarter of the budget takes a PASS away, unless it rests on too few readings ' + 'to have a P99',
  () => {
    expect(judged(200)).toMatch(/^inconclusive: .* over a quarter of the budget: this rig cannot carry a PASS$/)
    expect(judged(50)).toMatch(/^pass: /)
  },
)
