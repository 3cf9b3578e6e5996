/** A metric over the reports of a folder, with the changes of its level. */

import type { History } from '../report/history-schema.ts'
import type { Unit } from '../slo/metrics.ts'
import { cell, formatOf } from './formats.ts'
import { COLORS, type Plot, type PlotUnit } from './plot.ts'

const UNITS: Readonly<Record<Unit, PlotUnit>> = { ms: 'ms', share: 'share', 'per second': 'per second' }

export function historyPlots({ runs, changes, metric, unit }: History): Plot[] {
  const written = UNITS[unit]
  const format = formatOf(written)
  const levels = changes.map(({ before, after, startedAt }) => {
    return `from ${format(before)} to ${format(after)} on ${startedAt.slice(0, 10)}`
  })
  return [
    {
      id: 'history',
      title: `${metric} over ${runs.length} runs`,
      says: changes.length === 0 ? 'The level did not change.' : `The level changed ${levels.join('; ')}.`,
      x: {
        name: 'measured',
        unit: 'plain',
        scale: 'category',
        categories: runs.map(({ startedAt }) => startedAt.slice(0, 16).replace('T', ' ')),
      },
      panels: [
        {
          y: { name: `${metric}${unit === 'ms' ? ' (ms)' : ''}`, unit: written, scale: 'linear', min: 0 },
          series: [
            {
              kind: 'line',
              name: metric,
              color: COLORS.gateway,
              dots: true,
              points: runs.map(({ value }, index) => [index, value] as const),
            },
          ],
          marks: changes.map(({ index }) => ({ axis: 'x', at: index, label: 'change' })),
        },
      ],
      table: {
        head: ['measured', 'file', 'kt', metric, 'change'],
        rows: runs.map(({ startedAt, file, kt, value }, index) => {
          const change = changes.find((one) => one.index === index)
          return [
            startedAt,
            file,
            kt,
            cell(value, written),
            change ? `${format(change.before)} -> ${format(change.after)}` : '',
          ]
        }),
      },
    },
  ]
}
