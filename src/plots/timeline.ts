/** A run second by second: rate, latency, errors, requests in flight, what the machine withheld, what was watched. */
import type { Block, Run } from '../report/schema.ts'
import type { Arm } from './arms.ts'
import { cell, formatOf } from './formats.ts'
import { COLORS, type Panel, type Plot, scaleFor } from './plot.ts'
import { watchedColumns } from './watched.ts'

type Second = Run['series'][number]

interface Bin {
  second: number
  sent: number
  done: number
  failed: number
  inFlight: number
  p50: number | null
  p99: number | null
  /** Share of the time in which some task waited for a core; null where nobody measured it. */
  pressure: number | null
}

/** More points than this are neither told apart on a screen nor read in a table. */
const MOST_BINS = 200

/** Nothing of a report whose arms were taken apart: it has no series. */
export function timelinePlots(run: Run, arms: readonly Arm[]): Plot[] {
  const { series } = run
  if (series.length < 2) return []
  const width = Math.ceil(series.length / MOST_BINS)
  const blocks = arms.flatMap((arm) => arm.run.blocks)
  const bins = Array.from({ length: Math.ceil(series.length / width) }, (_, index) =>
    binOf(series.slice(index * width, (index + 1) * width), blocks),
  )
  const watched = watchedColumns(run, { seconds: bins.map(({ second }) => second), width })
  const format = formatOf('ms')
  const slowest = bins.reduce((most, bin) => ((bin.p99 ?? 0) > (most.p99 ?? 0) ? bin : most), bins[0] ?? emptyBin)
  const failed = bins.reduce((sum, bin) => sum + bin.failed * width, 0)
  const each = width === 1 ? 'second' : `${width} seconds (mean rates, highest latencies)`
  return [
    {
      id: 'timeline',
      title: 'The run over time',
      says:
        `By ${each}, all arms together. The highest P99 is ${format(slowest.p99 ?? 0)}, at second ${slowest.second}; ` +
        `${failed === 0 ? 'no request failed' : `${Math.round(failed)} requests failed`}.`,
      x: {
        name: 'second of the run',
        unit: 'seconds',
        scale: 'linear',
        min: bins[0]?.second ?? 0,
        max: bins.at(-1)?.second ?? 1,
      },
      panels: [...panelsOf(bins), ...watched.panels],
      table: {
        head: [
          'second',
          'sent/s',
          'done/s',
          'failed/s',
          'in flight',
          'P50',
          'P99',
          'machine pressure',
          ...watched.head,
        ],
        rows: bins.map(({ second, sent, done, failed, inFlight, p50, p99, pressure }, index) => [
          cell(second, 'count'),
          ...[sent, done, failed, inFlight].map((value) => cell(value, 'count')),
          cell(p50, 'ms'),
          cell(p99, 'ms'),
          cell(pressure, 'share'),
          ...(watched.rows[index] ?? []),
        ]),
      },
    },
  ]
}

const emptyBin: Bin = { second: 0, sent: 0, done: 0, failed: 0, inFlight: 0, p50: null, p99: null, pressure: null }

function binOf(seconds: readonly Second[], blocks: readonly Block[]): Bin {
  const mean = (read: (second: Second) => number): number =>
    seconds.reduce((sum, second) => sum + read(second), 0) / seconds.length
  const highest = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null)
    return known.length === 0 ? null : Math.max(...known)
  }
  return {
    second: seconds[0]?.second ?? 0,
    sent: mean(({ sent }) => sent),
    done: mean(({ done }) => done),
    failed: mean(({ failed }) => failed),
    inFlight: Math.max(...seconds.map(({ inFlight }) => inFlight)),
    p50: highest(seconds.map(({ p50 }) => p50)),
    p99: highest(seconds.map(({ p99 }) => p99)),
    pressure: highest(seconds.flatMap(({ second }) => blocks.map((block) => pressureAt(block, second)))),
  }
}

/** What a block says of the second that it was measured in, at least in part. */
function pressureAt({ startedAtS, machine }: Block, second: number): number | null {
  if (!machine) return null
  const within = startedAtS < second + 1 && startedAtS + machine.spanMs / 1_000 > second
  return within ? machine.pressure : null
}

function panelsOf(bins: readonly Bin[]): Panel[] {
  const points = (read: (bin: Bin) => number | null) => bins.map((bin) => [bin.second, read(bin)] as const)
  const latencies = bins.flatMap(({ p50, p99 }) => [p50, p99]).filter((value) => value !== null)
  const dots = bins.length < 30
  const failed = bins.some((bin) => bin.failed > 0)
  const rate: Panel = {
    y: { name: 'requests a second', unit: 'count', scale: 'linear', min: 0 },
    series: [
      { kind: 'line', name: 'sent', color: COLORS.other, dashed: true, dots, points: points(({ sent }) => sent) },
      { kind: 'line', name: 'done', color: COLORS.gateway, dots, points: points(({ done }) => done) },
    ],
  }
  const latency: Panel = {
    y: { name: 'latency (ms)', unit: 'ms', scale: scaleFor(latencies) },
    series: [
      { kind: 'line', name: 'P50', color: COLORS.gateway, dots, points: points(({ p50 }) => p50) },
      { kind: 'line', name: 'P99', color: COLORS.baseline, dashed: true, dots, points: points(({ p99 }) => p99) },
    ],
  }
  const errors: Panel = {
    y: { name: 'failed a second', unit: 'count', scale: 'linear', min: 0, ...(failed ? {} : { max: 1 }) },
    series: [{ kind: 'line', name: 'failed', color: COLORS.bad, dots, points: points(({ failed }) => failed) }],
  }
  const pressure: Panel = {
    y: { name: 'machine pressure', unit: 'share', scale: 'linear', min: 0 },
    series: [{ kind: 'line', name: 'pressure', color: COLORS.limit, dots, points: points((bin) => bin.pressure) }],
  }
  return [rate, latency, errors, ...(bins.some((bin) => bin.pressure !== null) ? [pressure] : [])]
}
