/** How the numbers of plots and of their tables are written, by their unit. */
import { formatBytes, formatCount, formatMs, formatNumber, formatShare } from '../units.ts'
import type { Cell, PlotUnit } from './plot.ts'

const FORMATS: Readonly<Record<PlotUnit, (value: number) => string>> = {
  ms: (value) => `${formatMs(value)} ms`,
  share: formatShare,
  'per second': (value) => `${formatNumber(value, value < 100 ? 1 : 0)}/s`,
  count: (value) => formatNumber(value, Number.isInteger(value) ? 0 : 2),
  seconds: (value) => `${formatNumber(value, Number.isInteger(value) ? 0 : 1)} s`,
  percentile: (value) => `P${Number((100 * (1 - 1 / value)).toFixed(4))}`,
  usd: (value) => `$${formatNumber(value)}`,
  percent: (value) => `${formatNumber(value, 1)} %`,
  bytes: formatBytes,
  plain: (value) => formatNumber(value, Number.isInteger(value) ? 0 : 2),
}

/** Short enough for the tick of an axis, whose name gives the unit. */
const TICKS: Readonly<Record<PlotUnit, (value: number) => string>> = {
  ...FORMATS,
  ms: (value) => String(Number(value.toPrecision(4))),
  'per second': formatCount,
  count: formatCount,
  seconds: (value) => String(Number(value.toPrecision(6))),
  usd: (value) => `$${formatCount(value)}`,
  percent: formatCount,
  plain: formatCount,
}

export function formatOf(unit: PlotUnit): (value: number) => string {
  return FORMATS[unit]
}

export function tickOf(unit: PlotUnit): (value: number) => string {
  return TICKS[unit]
}

/** A cell that keeps the exact number; '-' where there is none. */
export function cell(value: number | null | undefined, unit: PlotUnit): Cell {
  if (value === null || value === undefined) return '-'
  return { value, text: FORMATS[unit](value) }
}
