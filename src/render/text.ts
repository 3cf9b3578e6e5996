/** Lines of plain text: columns, wrapping, indenting. */

/** Pads rows into aligned columns; a column whose cells all begin with a digit is set to the right. */
export function columns(rows: readonly (readonly string[])[], gap = 2): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const numeric = widths.map((_, i) => i > 0 && rows.slice(1).some((row) => /^[\d.,]+$/.test(row[i] ?? '')))
  return rows.map((row) =>
    row
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

/** Breaks a line at spaces so that none is longer than `width`; what follows the first is indented by `hanging`. */
export function wrap(line: string, width: number, hanging = 0): string[] {
  if (line.length <= width) return [line]
  const at = line.lastIndexOf(' ', width)
  const cut = at > hanging ? at : line.indexOf(' ', width)
  return cut < 0 ? [line] : [line.slice(0, cut), ...wrap(' '.repeat(hanging) + line.slice(cut + 1), width, hanging)]
}

export function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line))
}
