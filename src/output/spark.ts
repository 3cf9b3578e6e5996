/** Small pictures of a line of figures, in characters: bars over time, and an interval beside its limit. */

const EIGHTHS = ['', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
/** What is further above the middle than this is cut off, so that one stall does not flatten the rest. */
const CUT = 4

export type Cell = number | null

/** The cells of a row of `width`: one for each value, or one for several of them, which `fold` makes one. */
export function fitCells(
  values: readonly Cell[],
  width: number,
  fold: (values: readonly number[]) => number,
): { cells: Cell[]; each: number } {
  const each = Math.max(1, Math.ceil(values.length / width))
  const cells = Array.from({ length: Math.ceil(values.length / each) }, (_, cell): Cell => {
    const part = values.slice(cell * each, (cell + 1) * each).filter((value) => value !== null)
    return part.length === 0 ? null : fold(part)
  })
  return { cells, each }
}

/** The top of a scale from 0 on which most of these can be told apart. */
export function scaleTop(values: readonly Cell[]): number {
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b)
  const middle = known[Math.floor(known.length / 2)] ?? 0
  return Math.min(known.at(-1) ?? 0, CUT * middle)
}

/** Bars of `rows` lines, the highest first; nothing where there is no value. */
export function bars(cells: readonly Cell[], top: number, rows: number): string[] {
  const levels = cells.map((value) => {
    if (value === null) return 0
    return top > 0 ? Math.max(1, Math.min(rows * 8, Math.round((value / top) * rows * 8))) : 1
  })
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * 8
    return levels.map((level) => EIGHTHS[Math.min(8, Math.max(0, level - below))] || ' ').join('')
  })
}

export interface Scale {
  from: number
  to: number
  width: number
}

function cellOf(value: number, { from, to, width }: Scale): number {
  const share = (value - from) / (to - from)
  return Math.min(width - 1, Math.max(0, Math.round(share * (width - 1))))
}

interface Interval {
  value: number | null
  low: number
  high: number
}

/** `   ╶──●────╴  ┃  `; an end that lies outside, or that is not known, is an arrow. */
export function intervalBar({ value, low, high }: Interval, limit: number | null, scale: Scale): string {
  const cells = Array.from({ length: scale.width }, () => ' ')
  const [first, last] = [cellOf(low, scale), cellOf(high, scale)]
  for (let cell = first; cell <= last; cell++) cells[cell] = '─'
  cells[first] = low < scale.from ? '←' : '╶'
  cells[last] = high > scale.to ? '→' : '╴'
  if (limit !== null) {
    const at = cellOf(limit, scale)
    cells[at] = cells[at] === ' ' ? '┃' : '╂'
  }
  if (value !== null && value >= scale.from && value <= scale.to) cells[cellOf(value, scale)] = '●'
  return cells.join('')
}

/** The numbers below such bars, each below its own place; the first ones are kept where two would touch. */
export function axis(marks: readonly { at: number; text: string }[], scale: Scale): string {
  let line = ''
  for (const { at, text } of marks.toSorted((a, b) => a.at - b.at)) {
    const cell = Math.min(scale.width - text.length, Math.max(0, cellOf(at, scale) - Math.floor(text.length / 2)))
    if (line !== '' && cell <= line.length) continue
    line = line.padEnd(cell) + text
  }
  return line
}
