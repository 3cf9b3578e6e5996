// What the plot of the overhead says of budgets: proven, by the estimate alone, or neither.
import { expect, test } from 'vitest'
import { overheadPlots } from '../../src/plots/overhead.ts'
import { readRun } from '../../src/report/read.ts'

const run = readRun('fixtures/reports/paired.json')
const part = { count: 100, p50: 1, p95: 2, p99: 3, budgetMs: 2 }

function says(components: Record<string, 'pass' | 'fail' | 'inconclusive'>): string | undefined {
  const [reading] = run.overhead
  if (!reading) throw new Error('a run without overhead')
  const parts = Object.entries(components).map(([name, verdict]) => [name, { ...part, verdict }])
  const { gate: _, ...rest } = run
  return overheadPlots({ ...rest, gate: null, overhead: [{ ...reading, components: Object.fromEntries(parts) }] })[0]
    ?.says
}

test('a P99 above its budget is named as proven only where its verdict is', () => {
  expect(says({ cache: 'fail', event_emission: 'inconclusive' })).toMatch(
    /P99 above its budget: cache\. Above it by the estimate, not proven: event emission\.$/,
  )
  expect(says({ event_emission: 'inconclusive' })).toMatch(
    / P99 .*\. Above it by the estimate, not proven: event emission\.$/,
  )
})
