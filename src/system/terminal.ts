/** What a stream shows: how wide it is, whether a line on it can be redrawn, and lines broken to its width. */
import { breakText, textWidth } from './text-width.ts'

interface Stream {
  isTTY?: boolean | undefined
  columns?: number | undefined
}

/** Where nobody has set a width: pipes, files, logs. */
const USUAL = 80
/** A narrower terminal breaks tables, and a wider one makes lines that nobody can read. */
const [NARROWEST, WIDEST] = [60, 200]

export function widthOf({ isTTY, columns }: Stream): number {
  return isTTY && columns ? Math.min(WIDEST, Math.max(NARROWEST, columns)) : USUAL
}

/** A terminal whose last line can be drawn again: logs of CI keep every line, and a dumb terminal cannot. */
export function canRedraw({ isTTY }: Stream, env: NodeJS.ProcessEnv = process.env): boolean {
  const inCi = env.CI !== undefined && env.CI !== '' && env.CI !== 'false'
  return isTTY === true && env.TERM !== 'dumb' && !inCi
}

/** Breaks a text at spaces; a word that is longer than a line is broken too. */
export function wrap(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text]
  return breakText(text, Math.max(1, width))
}

/** A text behind a label, whose further lines begin below its first word. */
export function hang(label: string, text: string, width: number): string[] {
  const by = textWidth(label)
  return wrap(text, width - by).map((line, i) => (i === 0 ? label : ' '.repeat(by)) + line)
}

/** A line broken for a terminal, below what it is indented by; in a pipe it stays whole, so that it can be searched. */
export function forStream(line: string, stream: Stream): string {
  if (stream.isTTY !== true) return line
  const [indented = ''] = /^ */.exec(line) ?? []
  return hang(indented, line.slice(indented.length), widthOf(stream)).join('\n')
}
