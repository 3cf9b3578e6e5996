/** The numbers of one column, in one unit and with as many decimals: only so can a reader compare them at a glance. */
import { formatNumber } from '../units.ts'

type Value = number | null | undefined
type Format = (value: Value) => string

const MOST_DECIMALS = 3

/** Three significant figures of the largest value, and two of the smallest. */
function decimalsOf(values: readonly Value[]): number {
  const sizes = values.flatMap((value) => (value && Number.isFinite(value) ? [Math.abs(value)] : []))
  if (sizes.length === 0) return 0
  const needed = (figures: number, size: number): number => figures - 1 - Math.floor(Math.log10(size))
  const most = Math.max(needed(3, Math.max(...sizes)), needed(2, Math.min(...sizes)))
  return Math.min(MOST_DECIMALS, Math.max(0, most))
}

/** Milliseconds, requests, cores: whatever has one unit of its own. A value that is not known is a dash. */
export function numberFormat(values: readonly Value[], most = MOST_DECIMALS): Format {
  const decimals = Math.min(most, decimalsOf(values))
  return (value) => {
    if (value === null || value === undefined) return '-'
    return Number.isFinite(value) ? formatNumber(value, decimals) : 'inf'
  }
}

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** Bytes, in the unit of the largest. */
export function bytesFormat(values: readonly Value[]): Format {
  const largest = Math.max(1, ...values.map((value) => value ?? 0))
  const power = Math.min(BYTES.length - 1, Math.floor(Math.log2(largest) / 10))
  const scaled = (value: Value): Value => (value === null || value === undefined ? value : value / 1024 ** power)
  const format = numberFormat(values.map(scaled), 2)
  return (value) => (value === null || value === undefined ? '-' : `${format(scaled(value))} ${BYTES[power]}`)
}
