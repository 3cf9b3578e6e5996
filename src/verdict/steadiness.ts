/**
 * Whether a run was steady, and from when on: the median latency of its seconds, or of its blocks where it is short or
 * two arms take turns; and the rate of a closed loop. What a load changes by itself (--stages) is no transient, and of
 * a run of a few seconds nothing is said.
 */

import { readHistogram } from '../report/histogram-text.ts'
import type { ArmResult, Run } from '../report/schema.ts'
import { mean } from '../stats/means.ts'
import { FEWEST_VALUES, findSteady } from '../stats/steadiness.ts'
import { blockRates } from './thresholds.ts'

type RunSteadiness = NonNullable<ArmResult['steadiness']>

const SHORTEST_S = 3
/** From so many whole seconds on they are the series, in so many groups at most. */
const FEWEST_SECONDS = 30
const MOST_GROUPS = 60

/** Undefined where nothing can be said. */
export function runSteadiness(run: Run): RunSteadiness | undefined {
  const { load, totals, blocks } = run
  if (load.stages !== undefined || totals.durationS < SHORTEST_S || totals.successful === 0) return undefined
  const series = bySeconds(run) ?? byBlocks(run)
  const judged = series.values.flatMap(({ of, values }) => {
    return values.length < FEWEST_VALUES ? [] : [{ of, values, ...findSteady(values) }]
  })
  const [first] = judged
  if (!first || blocks.length === 0) return undefined
  const worst = judged.find(({ steady }) => !steady) ?? judged.reduce((a, b) => (b.skip > a.skip ? b : a), first)
  return {
    test: 'Heidelberger-Welch',
    steady: worst.steady,
    fromS: worst.steady ? series.startS(worst.skip) : null,
    by: series.by,
    of: worst.of,
    values: worst.values.length,
    drift: Number(worst.drift.toFixed(4)),
  }
}

interface TestedSeries {
  by: RunSteadiness['by']
  values: { of: RunSteadiness['of']; values: number[] }[]
  /** When the value at this position began. */
  startS(index: number): number
}

/** The second that the run ended in is no whole one. */
function bySeconds({ series, pairing, load }: Run): TestedSeries | undefined {
  const whole = series.slice(0, -1)
  if (pairing !== undefined || whole.length < FEWEST_SECONDS) return undefined
  const latencies = whole.flatMap(({ p50 }) => (p50 === null ? [] : [p50]))
  if (latencies.length < whole.length) return undefined
  const size = Math.ceil(whole.length / MOST_GROUPS)
  const rates = load.mode === 'closed' ? [{ of: 'rate' as const, values: whole.map(({ done }) => done) }] : []
  const values = [{ of: 'latency' as const, values: latencies }, ...rates]
  return {
    by: 'seconds',
    values: values.map(({ of, values: all }) => ({ of, values: groupMeans(all, size) })),
    startS: (index) => index * size,
  }
}

function byBlocks(run: Run): TestedSeries {
  const { blocks, load } = run
  const latencies = blocks.map(({ latency }) => readHistogram(latency))
  const medians = latencies.every(({ count }) => count > 0) ? latencies.map((one) => one.quantileUs(0.5)) : []
  const rates = load.mode === 'closed' ? [{ of: 'rate' as const, values: blockRates(run) }] : []
  return {
    by: 'blocks',
    values: [{ of: 'latency', values: medians }, ...rates],
    startS: (index) => blocks[index]?.startedAtS ?? 0,
  }
}

/** What does not fill a group at the end is left out. */
function groupMeans(values: readonly number[], size: number): number[] {
  return Array.from({ length: Math.floor(values.length / size) }, (_, i) =>
    mean(values.slice(i * size, (i + 1) * size)),
  )
}

/** Why latencies cannot be passed: they were still rising when the run ended. */
export function stillRising({ steadiness }: Pick<Run, 'steadiness'>): string | undefined {
  if (!steadiness || steadiness.steady || steadiness.of !== 'latency' || steadiness.drift <= 0) return undefined
  return 'latency was still rising when the run ended'
}
