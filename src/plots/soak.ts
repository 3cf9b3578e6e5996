/** The trends of a long run as a table, and their lines for the timeline. */
import { SOAK_VERDICTS, signed, soakSubject, soakUnit } from '../output/soak-lines.ts'
import type { Run } from '../report/schema.ts'
import type { Soak } from '../report/soak-schema.ts'
import { formatMs, formatShare } from '../units.ts'
import type { Cell, PlotTable, Point } from './plot.ts'

export function soakTable({ trends }: Soak): PlotTable {
  const reasons = trends.some(({ why }) => why !== null)
  return {
    head: ['', 'verdict', 'an hour', '99 % interval', '% an hour', 'from', 'to', 'P', ...(reasons ? ['why'] : [])],
    rows: trends.map((trend) => {
      const { line, perHour, perHour99, perHourShare, p, verdict, why } = trend
      const unit = soakUnit(trend)
      const quantity = (value: number | undefined): Cell =>
        value === undefined ? '-' : { value, text: `${formatMs(value)} ${unit}` }
      return [
        soakSubject(trend),
        SOAK_VERDICTS[verdict],
        perHour === null ? '-' : { value: perHour, text: `${signed(perHour, formatMs)} ${unit}` },
        perHour99 === null ? '-' : perHour99.map((slope) => signed(slope, formatMs)).join(' to '),
        perHourShare === null ? '-' : { value: perHourShare, text: signed(perHourShare, formatShare) },
        quantity(line?.from),
        quantity(line?.to),
        p === null ? '-' : { value: p, text: p < 0.001 ? '< 0.001' : p.toFixed(3) },
        ...(reasons ? [why ?? ''] : []),
      ]
    }),
  }
}

/** The line through the memory of a process, in bytes, at these seconds; nothing before and after what was judged. */
export function memoryLine({ soak }: Pick<Run, 'soak'>, name: string, seconds: readonly number[]): Point[] | undefined {
  const line = soak?.trends.find((trend) => trend.of === 'memory' && trend.name === name)?.line
  if (!line) return undefined
  const { fromS, toS, from, to } = line
  return seconds.map((second) => {
    const value = from + ((to - from) * (second - fromS)) / (toS - fromS)
    return [second, second < fromS || second > toS ? null : value * 1024 ** 2]
  })
}
