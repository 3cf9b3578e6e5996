/** `kt events stats` as a page. */
import type { EventStats } from '../gateway-cli/event-stats.ts'
import { formatDuration, formatMs, formatNumber } from '../units.ts'
import { columns, paint } from './table.ts'
import { hung } from './text.ts'

export interface EventStatsContext {
  source: string
  lastMs: number | undefined
  model: string | undefined
}

export function renderEventStats(stats: EventStats, context: EventStatsContext, color: boolean): string {
  const c = paint(color)
  const of = context.model === undefined ? '' : ` of ${context.model}`
  const over = context.lastMs === undefined ? '' : ` over the last ${formatDuration(context.lastMs)}`
  const title = c.bold(`${stats.metric} (${stats.unit})${of}${over}`)
  const notes = [`from ${context.source}`, ...losses(stats)]
  if (stats.count === 0) return [title, '  no event has it', ...notes.map((note) => c.dim(hung(note, '  ')))].join('\n')
  const show = (value: number): string => (stats.unit === 'ms' ? formatMs(value) : formatNumber(value))
  const rows = stats.percentiles.map(({ percentile, value, low, high }) => {
    // With fewer than ten observations beyond it a quantile says little.
    const few = stats.count * (1 - percentile / 100) < 10 ? 'under ten beyond it' : ''
    const interval = high === null ? `[${show(low)}, inf)` : `[${show(low)}, ${show(high)}]`
    return [`P${percentile}`, show(value), c.dim(interval), c.dim(few)]
  })
  const failed = stats.failed > 0 ? `, ${formatNumber(stats.failed)} of them failed` : ''
  const count = `${formatNumber(stats.count)} requests${failed}; mean ${show(stats.mean ?? 0)}, max ${show(stats.max ?? 0)}`
  return [
    title,
    columns(rows, ['left', 'right', 'right', 'left']),
    hung(count, '  '),
    ...['intervals: 95 %, for independent requests', ...notes].map((note) => c.dim(hung(note, '  '))),
  ].join('\n')
}

function losses({ dropped, unreadable }: EventStats): string[] {
  return [
    ...(dropped > 0 ? [`${formatNumber(dropped)} events were dropped and are not in it`] : []),
    ...(unreadable > 0 ? [`${formatNumber(unreadable)} lines are no events and were left out`] : []),
  ]
}
