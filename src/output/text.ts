/** Lines of plain text: wrapping and indenting. */

/** Breaks a line at spaces so that none is longer than `width`; what follows the first is indented by `hanging`. */
export function wrap(line: string, width: number, hanging = 0): string[] {
  if (line.length <= width) return [line]
  const at = line.lastIndexOf(' ', width)
  const cut = at > hanging ? at : line.indexOf(' ', width)
  return cut < 0 ? [line] : [line.slice(0, cut), ...wrap(' '.repeat(hanging) + line.slice(cut + 1), width, hanging)]
}

/** The width every page of kt fits. */
export const WIDTH = 80

/** Wrapped to the width of a page, what follows the first line hung under it. */
export function hung(text: string, indent: string, hanging = indent.length + 2): string {
  return wrap(indent + text, WIDTH, hanging).join('\n')
}

export function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line))
}
