/**
 * Tables for a terminal, by cli-table3 without borders, with the first column aligned to the left and figures to the
 * right; and wrapping, indenting and colour of plain text.
 */
import { Chalk, type ChalkInstance } from 'chalk'
import Table from 'cli-table3'

/**
 * Breaks a line at spaces so that no line is longer than `width`. Lines after the first are indented by `hanging`.
 */
export function wrap(line: string, width: number, hanging = 0): string[] {
  if (line.length <= width) return [line]
  const at = line.lastIndexOf(' ', width)
  const cut = at > hanging ? at : line.indexOf(' ', width)
  return cut < 0 ? [line] : [line.slice(0, cut), ...wrap(' '.repeat(hanging) + line.slice(cut + 1), width, hanging)]
}

/** The width of all text output. */
export const WIDTH = 80

/** Wraps a text to the width of the output with a hanging indent. */
export function wrapHanging(text: string, indent: string, hanging = indent.length + 2): string {
  return wrap(indent + text, WIDTH, hanging).join('\n')
}

export function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line))
}

/** Colours or none. The command decides by TTY and NO_COLOR. */
export function paint(color: boolean): ChalkInstance {
  return new Chalk({ level: color ? 1 : 0 })
}

const BLANK = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
}

/** Rows of equal length; columns after the first are aligned to the right unless `align` says otherwise. */
export function columns(
  rows: readonly (readonly string[])[],
  align?: readonly ('left' | 'right')[],
  indent = 2,
): string {
  const width = Math.max(0, ...rows.map((row) => row.length))
  const table = new Table({
    chars: BLANK,
    style: { 'padding-left': 0, 'padding-right': 0, border: [], head: [] },
    colAligns: Array.from({ length: width }, (_, i) => align?.[i] ?? (i === 0 ? 'left' : 'right')),
  })
  table.push(...rows.map((row) => [...row, ...Array<string>(width - row.length).fill('')]))
  return table
    .toString()
    .split('\n')
    .map((line) => `${' '.repeat(indent)}${line}`.trimEnd())
    .join('\n')
}
