/**
 * A plot as plain data: what is drawn, the sentence that says it, and the table with the same figures. It knows no
 * library and no page, so that the file of a plot, the page and a screen reader get one and the same.
 */

/** How the numbers of an axis are written (src/plots/formats.ts). */
export type PlotUnit =
  | 'ms'
  | 'share'
  | 'per second'
  | 'count'
  | 'seconds'
  | 'percentile'
  | 'usd'
  | 'percent'
  | 'bytes'
  | 'plain'

export interface Axis {
  name: string
  unit: PlotUnit
  scale: 'linear' | 'log' | 'category'
  /** Of a category axis, first to last. */
  categories?: string[]
  min?: number
  max?: number
}

/** A place in the palette (src/plots/colors.ts). */
export type Color = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7

export const COLORS = { gateway: 0, baseline: 1, bad: 2, limit: 3, other: 4 } as const

/** Colours of lines that stand together in a panel and have no part of their own. */
export const PALETTE: readonly Color[] = [0, 1, 4, 3, 5, 6, 7, 2]

/** A number, or nothing, where the line has a gap. */
export type Point = readonly [x: number, y: number | null]

export type Series =
  | { kind: 'line'; name: string; color: Color; dashed?: boolean; dots?: boolean; points: readonly Point[] }
  | { kind: 'dots' | 'ticks'; name: string; color: Color; points: readonly Point[] }
  /** A bar for each category; null where there is none. */
  | { kind: 'bars'; name: string; color: Color; values: readonly (number | null)[] }
  /** Whiskers at `at` of one axis, from `low` to `high` of the other: `along` is the axis that they lie along. */
  | {
      kind: 'whiskers'
      name: string
      color: Color
      along: 'x' | 'y'
      items: readonly { at: number; low: number; high: number }[]
    }

/** A line across a panel: a limit, a knee, a change. */
export interface Mark {
  axis: 'x' | 'y'
  at: number
  label: string
}

export interface Panel {
  y: Axis
  series: readonly Series[]
  marks?: readonly Mark[]
}

/** A text, or a number beside how it is written. */
export type Cell = string | { value: number; text: string }

export interface PlotTable {
  head: readonly string[]
  rows: readonly (readonly Cell[])[]
}

export interface Plot {
  /** The name of its file and its anchor in a page; unique in a page. */
  id: string
  title: string
  /** What there is to see, in a sentence or two. */
  says: string
  x: Axis
  /** One above the other; they share the x axis. */
  panels: readonly Panel[]
  table: PlotTable
}

/** From this ratio on an axis is logarithmic. */
const WIDE = 30

/** The scale for positive values: a tail a hundred times the median hides everything else on a linear one. */
export function scaleFor(values: readonly number[]): 'linear' | 'log' {
  const positive = values.filter((value) => value > 0)
  if (positive.length === 0 || positive.length < values.length) return 'linear'
  return Math.max(...positive) / Math.min(...positive) >= WIDE ? 'log' : 'linear'
}
