import { expect, it } from 'vitest'
import { judgeBench } from '../../src/bench/judge-bench.ts'
import { goodputWords } from '../../src/output/throughput-lines.ts'
import { benchDocument } from '../../src/page/bench-document.ts'
import type { Run } from '../../src/report/schema.ts'
import { parseThreshold } from '../../src/slo/threshold.ts'
import { compareReports } from '../../src/verdict/compare.ts'
import { goodputOf } from '../../src/verdict/goodput.ts'
import { judgeSlos, wholeRun } from '../../src/verdict/slo.ts'
import { namedCategory, readSlo } from '../../src/verdict/slo-file.ts'
import { MAX_REGRESSION } from '../../src/verdict/verdict.ts'
import { type Model, makeRun } from '../support/make-report.ts'

/** One request in ten takes so long, the others 100 ms. */
const tenthOf =
  (slowMs: number): Model =>
  (random) =>
    (random() < 0.1 ? slowMs : 100) * 1_000

function limited(run: Run, ...texts: string[]): Run {
  const thresholds = texts.flatMap((text) => {
    const parsed = parseThreshold(text)
    return parsed.ok ? [parsed.value] : []
  })
  expect(thresholds.length).toBe(texts.length)
  return { ...run, gate: judgeBench(run, { budgetMs: undefined, maxRegression: undefined, thresholds }) }
}

it('is unknown without a target, and with limits that no single request keeps', () => {
  const run = makeRun({ upstream: tenthOf(900) })
  expect(goodputOf(run)).toBeUndefined()
  expect(goodputOf(limited(run, 'errors.rate<1%', 'throughput.rps>1'))).toBeUndefined()
})

it('of a limit on a duration is the share of requests within it, failed ones beyond', () => {
  const run = limited(
    makeRun({ upstream: tenthOf(900), blocks: 20, failures: { KT_HTTP_5XX: 10 } }),
    'latency.p99<300ms',
  )
  const { sent } = run.totals
  const goodput = goodputOf(run)
  expect(goodput).toMatchObject({ exact: true, within: 'latency 300 ms' })
  const good = (run.latencyMs?.count ?? 0) * 0.9
  expect(goodput?.share).toBeCloseTo(good / sent, 1)
  expect(goodput?.share).toBeLessThan(0.9)
})

it('of several limits takes the tail of each duration, and counts two that are missed twice', () => {
  const run = makeRun({ upstream: tenthOf(900), stream: true })
  const goodput = goodputOf(limited(run, 'latency.p50<50ms', 'latency.p99<300ms', 'ttft.p99<300ms'))
  expect(goodput).toMatchObject({ exact: false, within: 'latency 300 ms and ttft 300 ms' })
  expect(goodput?.share).toBeLessThan(goodputOf(limited(run, 'latency.p99<300ms'))?.share ?? 0)
})

const slo = (run: Run, ...names: string[]): Run => {
  const categories = names.map((name) => namedCategory(readSlo(), name, '--slo'))
  return { ...run, slo: judgeSlos(categories.map((category) => wholeRun(run, category))) }
}

it('of SLO categories is that of their requests together', () => {
  const run = makeRun({ upstream: tenthOf(2_500) })
  expect(goodputOf(slo(run, 'chat-short'))?.within).toBe('chat-short')
  const [short, batch] = [slo(run, 'chat-short'), slo(run, 'batch')].map((one) => goodputOf(one)?.share ?? 0)
  const both = goodputOf(slo(run, 'chat-short', 'batch'))
  expect(both?.within).toBe('the targets of 2 categories')
  expect(both?.share).toBeCloseTo(((short ?? 0) + (batch ?? 0)) / 2, 9)
})

const RULES = { budgetMs: 7, maxRegression: MAX_REGRESSION, thresholds: [], primary: true, allowDifferent: false }

it('is compared where both runs have the same targets, and stands on the page', () => {
  const [old, now] = [makeRun({ upstream: tenthOf(900), seed: 1 }), makeRun({ upstream: tenthOf(3_000), seed: 2 })]
  const options = { ...RULES, files: { baseline: 'a', gateway: 'b' }, noGate: true }
  const rowOf = (a: Run, b: Run) => compareReports(a, b, options).rows.find(({ metric }) => metric === 'goodput')
  const judged = [slo(old, 'chat-short'), slo(now, 'chat-short')] as const
  expect(rowOf(...judged)).toMatchObject({ unit: 'share', baseline: 1, gateway: goodputOf(judged[1])?.share })
  expect(rowOf(judged[0], slo(now, 'batch'))).toBeUndefined()
  expect(rowOf(old, now)).toBeUndefined()
  const known = goodputOf(judged[1])
  const table = JSON.stringify(benchDocument(judged[1]).sections[0])
  expect(table).toContain('goodput')
  expect(table).toContain(known ? goodputWords(known) : 'no goodput')
  expect(JSON.stringify(benchDocument(now).sections[0])).not.toContain('goodput')
})
