/**
 * A run as CSV in long form, a figure a row, so that one file holds the summary of every arm, its blocks and the
 * series, and any tool filters it by its first column.
 */

import { readHistogram } from '../report/histogram-text.ts'
import type { BenchReport } from '../report/schema.ts'
import { seriesName } from '../report/watched.ts'
import { METRIC_NAMES } from '../slo/metrics.ts'
import { csvLine } from './csv-line.ts'

type Row = readonly [table: string, arm: string, at: string, name: string, unit: string, value: number]

const HEAD = ['table', 'arm', 'at', 'name', 'unit', 'value']
const QUANTILES = ['mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const

export function toCsv(report: BenchReport): string {
  const rows = [
    ...report.arms.flatMap((arm) => [...summaryOf(arm), ...blocksOf(arm)]),
    ...seriesOf(report),
    ...processesOf(report),
    ...scrapedOf(report),
  ]
  return [HEAD, ...rows].map(csvLine).join('')
}

type Arm = BenchReport['arms'][number]

function summaryOf(arm: Arm): Row[] {
  const row = (name: string, unit: string, value: number): Row => ['summary', arm.name, '', name, unit, value]
  const durations = METRIC_NAMES.flatMap((metric) => {
    const found = arm[`${metric}Ms`]
    if (!found) return []
    return [
      row(`${metric}.count`, '', found.count),
      ...QUANTILES.map((quantile) => row(`${metric}.${quantile}`, 'ms', found[quantile])),
    ]
  })
  const overhead = arm.overhead.flatMap(({ definition, totalMs: { p50, p90, p95, p99, max } }) =>
    Object.entries({ p50, p90, p95, p99, max }).map(([name, ms]) => row(`overhead.${definition}.${name}`, 'ms', ms)),
  )
  const { sent, successful, failed, durationS } = arm.totals
  const { requestsPerSec, tokensPerSec } = arm.throughput
  return [
    row('requests.sent', '', sent),
    row('requests.successful', '', successful),
    row('requests.failed', '', failed),
    row('duration', 's', durationS),
    row('throughput.requests', '1/s', requestsPerSec),
    ...(tokensPerSec === null ? [] : [row('throughput.tokens', '1/s', tokensPerSec)]),
    ...durations,
    ...overhead,
  ]
}

/** `at` is the number of the block. */
function blocksOf({ name: arm, blocks }: Arm): Row[] {
  return blocks.flatMap(({ index, sent, outcomes, latency }) => {
    const row = (name: string, unit: string, value: number): Row => ['block', arm, `${index}`, name, unit, value]
    const histogram = readHistogram(latency)
    const quantiles =
      histogram.count === 0
        ? []
        : ([
            ['p50', 0.5],
            ['p99', 0.99],
          ] as const)
    return [
      row('requests.sent', '', sent),
      row('requests.successful', '', outcomes.OK ?? 0),
      ...quantiles.map(([name, q]) => row(`latency.${name}`, 'ms', histogram.quantileUs(q) / 1_000)),
    ]
  })
}

/** `at` is the second; the series is of all arms together. */
function seriesOf({ series }: BenchReport): Row[] {
  return series.flatMap(({ second, sent, done, failed, inFlight, p50, p99 }) => {
    const row = (name: string, unit: string, value: number): Row => ['series', '', `${second}`, name, unit, value]
    return [
      row('requests.sent', '', sent),
      row('requests.done', '', done),
      row('requests.failed', '', failed),
      row('inFlight', '', inFlight),
      ...(p50 === null ? [] : [row('latency.p50', 'ms', p50)]),
      ...(p99 === null ? [] : [row('latency.p99', 'ms', p99)]),
    ]
  })
}

/** `arm` is the name of the process, `at` the second that a reading ends. */
function processesOf({ processes = [] }: BenchReport): Row[] {
  return processes.flatMap(({ name: process, readings }) =>
    readings.flatMap(({ second, cpuPercent, rssBytes }): Row[] => [
      ['process', process, `${second}`, 'cpu', '%', cpuPercent],
      ['process', process, `${second}`, 'memory', 'bytes', rssBytes],
    ]),
  )
}

/** `arm` is the name of what was read, `at` the second. */
function scrapedOf({ scraped = [] }: BenchReport): Row[] {
  return scraped.flatMap(({ name, seconds, series }) =>
    series.flatMap((one) =>
      one.values.flatMap((value, index): Row[] => {
        const unit = one.kind === 'rate' ? '1/s' : ''
        return value === null ? [] : [['scraped', name, `${seconds[index]}`, seriesName(one), unit, value]]
      }),
    ),
  )
}
