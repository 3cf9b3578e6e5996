/**
 * Tables for a page, by cli-table3 without borders: the first column is aligned to the left and figures to the right.
 * No table is wider than its page: its texts are broken, then columns that it can do without are left out.
 */
import { Chalk, type ChalkInstance } from 'chalk'
import Table from 'cli-table3'
import { hang } from '../system/terminal.ts'
import { textWidth } from '../system/text-width.ts'

/** Where text is printed. */
export interface Page {
  width: number
  /** Colours, or none. */
  c: ChalkInstance
  /** The reader asked how the figures were made. */
  explain: boolean
}

/** Colours or none. The command decides by TTY and NO_COLOR. */
export function makePage(width: number, color: boolean, explain = false): Page {
  return { width, c: new Chalk({ level: color ? 1 : 0 }), explain }
}

/** A paragraph, indented. */
export function paragraph(text: string, { width }: Page, indent = ''): string {
  return hang(indent, text, width).join('\n')
}

export function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line))
}

const BLANK = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
}
const GAP = BLANK.middle.length
/** A text is broken down to this width before a column is left out. */
const NARROW = 16

type Align = 'left' | 'right'
type Rows = readonly (readonly string[])[]

interface Form {
  width: number
  /** Columns after the first are aligned to the right unless it says otherwise. */
  align?: readonly Align[] | undefined
  indent?: number
  /** Columns that a narrow page can do without, the first of them first. */
  spare?: readonly number[]
}

export function columns(given: Rows, { width, align: asked = [], indent: by = 2, spare = [] }: Form): string {
  const count = Math.max(0, ...given.map((row) => row.length))
  const all = given.map((row) => Array.from({ length: count }, (_, i) => row[i] ?? ''))
  const aligned = Array.from({ length: count }, (_, i) => asked[i] ?? (i === 0 ? 'left' : 'right'))
  const { rows, align } = fitTable(all, aligned, width - by, [...spare])
  const table = new Table({
    chars: BLANK,
    style: { 'padding-left': 0, 'padding-right': 0, border: [], head: [] },
    colAligns: [...align],
  })
  table.push(...rows.map((row) => [...row]))
  return table
    .toString()
    .split('\n')
    .map((line) => `${' '.repeat(by)}${line}`.trimEnd())
    .join('\n')
}

function fitTable(
  rows: string[][],
  align: Align[],
  room: number,
  spare: number[],
): { rows: string[][]; align: Align[] } {
  // An empty column has a width of one.
  const widths = align.map((_, i) => Math.max(1, ...rows.map((row) => cellWidth(row[i] ?? ''))))
  const over = sum(widths) + GAP * Math.max(0, widths.length - 1) - room
  if (over <= 0) return { rows, align }
  const texts = widths.map((width, i) => (align[i] === 'left' && width > NARROW ? width : 0))
  const text = widest(texts)
  const canGive = (texts[text] ?? 0) - NARROW
  if (canGive >= over) return { rows: broken(rows, text, (widths[text] ?? 0) - over), align }
  const [column, ...others] = spare
  if (column !== undefined) {
    const rest = others.map((i) => (i > column ? i - 1 : i))
    return fitTable(
      rows.map((row) => row.toSpliced(column, 1)),
      align.toSpliced(column, 1),
      room,
      rest,
    )
  }
  // Nothing can be left out: the widest text gives what it can, then any column.
  const [giver, by] = canGive > 0 ? [text, canGive] : [widest(widths), over]
  const left = Math.max(1, (widths[giver] ?? 0) - by)
  return left === widths[giver] ? { rows, align } : fitTable(broken(rows, giver, left), align, room, [])
}

/** The rows with the cells of a column broken to `width`. What a cell is indented by stays. */
function broken(rows: string[][], column: number, width: number): string[][] {
  return rows.map((row) => row.map((cell, i) => (i === column ? brokenCell(cell, width) : cell)))
}

function brokenCell(cell: string, width: number): string {
  if (cellWidth(cell) <= width) return cell
  const [indented = ''] = /^ */.exec(cell) ?? []
  return hang(indented.length < width ? indented : '', cell.trimStart(), width).join('\n')
}

function cellWidth(cell: string): number {
  return Math.max(...cell.split('\n').map((line) => textWidth(line)))
}

function widest(widths: readonly number[]): number {
  return widths.indexOf(Math.max(...widths))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
