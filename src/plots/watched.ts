/** What was watched beside a run, as further lines of its timeline and further columns of its table. */
import type { Run } from '../report/schema.ts'
import { cell } from './formats.ts'
import { type Cell, PALETTE, type Panel, type PlotUnit, type Series } from './plot.ts'
import { memoryLine } from './soak.ts'

/** One line of a panel. */
interface Track {
  name: string
  values: readonly (readonly [second: number, value: number])[]
}

interface WatchedPanel {
  /** Its axis, and the end of its columns' heads. */
  name: string
  unit: PlotUnit
  tracks: readonly Track[]
}

interface Bins {
  /** The first second of each. */
  seconds: readonly number[]
  width: number
}

export interface WatchedColumns {
  panels: Panel[]
  head: string[]
  /** The cells of each bin. */
  rows: Cell[][]
}

/** A bin shows the mean of the readings in it. */
export function watchedColumns(run: Pick<Run, 'processes' | 'soak'>, { seconds, width }: Bins): WatchedColumns {
  const binned = panelsOf(run).map(({ name, unit, tracks }) => ({
    name,
    unit,
    tracks: tracks.map((track) => ({ name: track.name, values: means(track, seconds, width) })),
  }))
  const columns = binned.flatMap(({ name, unit, tracks }) =>
    tracks.map((track) => ({ head: `${track.name} ${name}`, unit, values: track.values })),
  )
  return {
    panels: binned.map(({ name, unit, tracks }) => ({
      y: { name, unit, scale: 'linear', min: 0 },
      series: tracks.flatMap(({ name: track, values }, index): Series[] => {
        const [color = 0, other = 0] = [index, tracks.length + index].map((place) => PALETTE[place % PALETTE.length])
        const points = seconds.map((second, bin) => [second, values[bin] ?? null] as const)
        // Where the colours begin again, the dashes are the other way round.
        const dashed = (index % 2 === 1) !== index >= PALETTE.length
        const fitted = unit === 'bytes' ? memoryLine(run, track, seconds) : undefined
        return [
          { kind: 'line', name: track, color, dashed, dots: seconds.length < 30, points },
          ...(fitted
            ? [{ kind: 'line' as const, name: `${track}, its trend`, color: other, dashed: true, points: fitted }]
            : []),
        ]
      }),
    })),
    head: columns.map(({ head }) => head),
    rows: seconds.map((_, bin) => columns.map(({ unit, values }) => cell(values[bin], unit))),
  }
}

function panelsOf({ processes = [] }: Pick<Run, 'processes'>): WatchedPanel[] {
  const read = processes.filter(({ readings }) => readings.length > 0)
  if (read.length === 0) return []
  const tracks = (of: 'cpuPercent' | 'rssBytes'): Track[] =>
    read.map(({ name, readings }) => ({ name, values: readings.map((one) => [one.second, one[of]] as const) }))
  return [
    { name: 'CPU (% of a core)', unit: 'percent', tracks: tracks('cpuPercent') },
    { name: 'memory', unit: 'bytes', tracks: tracks('rssBytes') },
  ]
}

function means({ values }: Track, seconds: readonly number[], width: number): (number | null)[] {
  let at = 0
  return seconds.map((second) => {
    let [sum, count] = [0, 0]
    for (let value = values[at]; value && value[0] < second + width; value = values[++at]) {
      if (value[0] < second) continue
      sum += value[1]
      count++
    }
    return count === 0 ? null : sum / count
  })
}
