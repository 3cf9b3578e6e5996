/**
 * kt on a terminal of a given size: a pty that `script` (util-linux) opens, and what stands on its screens by what was
 * written to it. Only the sequences that kt writes are known; another one is a fault of the test or of kt.
 */
import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

export const hasScript = spawnSync('script', ['--version']).status === 0

export interface Shown {
  /** The lines of the screen that is shown at last, and those of the last picture of the other screen. */
  lines: string[]
  other: string[]
  /** True while the other screen is shown. */
  onOther: boolean
  cursor: boolean
}

interface TerminalRun {
  press(keys: string): void
  /** Resolves when the screen shows it; rejects where the process ends before. */
  shows(test: (shown: Shown) => boolean): Promise<Shown>
  ended: Promise<{ code: number | null; shown: Shown; written: string }>
}

export function onTerminal(args: string[], columns = 80, rows = 24, env: Record<string, string> = {}): TerminalRun {
  const quoted = [process.execPath, bin, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const command = `stty cols ${columns} rows ${rows}; exec ${quoted}`
  const clean = { CI: '', TERM: 'xterm-256color', NO_COLOR: '1', KT_API_KEY: undefined, OPENAI_API_KEY: undefined }
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: tmpdir(),
    env: { ...process.env, ...clean, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let written = ''
  const waiting: { test: (shown: Shown) => boolean; resolve(shown: Shown): void; reject(error: Error): void }[] = []
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    written += part
    const shown = read(written, rows)
    for (const { test, resolve } of waiting) if (test(shown)) resolve(shown)
  })
  return {
    press: (keys) => void child.stdin.write(keys),
    shows: (test) => new Promise((resolve, reject) => waiting.push({ test, resolve, reject })),
    ended: new Promise((resolve) => {
      child.on('close', (code) => {
        const shown = read(written, rows)
        for (const { reject } of waiting) reject(new Error(`ended with ${code} before: ${shown.lines.join('\n')}`))
        resolve({ code, shown, written })
      })
    }),
  }
}

/** The beginning of a sequence, as a character that text has not. */
const BEGIN = '\uE000'
const SEQUENCE = /\uE000(\??)([\d;]*)([A-Za-z])|\r|\n|[^\uE000\r\n]+/g

/** What stands on a terminal to which this was written. */
function read(written: string, rows: number): Shown {
  let [lines, kept]: [string[], string[]] = [[], []]
  let [row, column] = [0, 0]
  const shown: Shown = { lines, other: [], onOther: false, cursor: true }
  for (const [piece, mark, numbers = '', letter] of written.replaceAll('\u001B[', BEGIN).matchAll(SEQUENCE)) {
    if (piece === '\r') column = 0
    else if (piece === '\n') row++
    else if (letter === undefined) {
      const line = (lines[row] ?? '').padEnd(column)
      lines[row] = line.slice(0, column) + piece + line.slice(column + piece.length)
      column += piece.length
    } else if (mark === '?' && numbers === '1049') {
      if (letter === 'h' && !shown.onOther) [kept, lines] = [lines, []]
      if (letter === 'l') [shown.other, lines] = [lines, kept]
      shown.onOther = letter === 'h'
    } else if (mark === '?' && numbers === '25') shown.cursor = letter === 'h'
    else if (letter === 'H')
      [row, column] = numbers.split(';').map((number) => Number(number || 1) - 1) as [number, number]
    else if (letter === 'K') lines[row] = numbers === '2' ? '' : (lines[row] ?? '').slice(0, column)
    else if (letter === 'J') lines.length = 0
    else if (letter !== 'm' && !(mark === '?' && numbers === '2026'))
      throw new Error(`not known: ${JSON.stringify(piece)}`)
    if (shown.onOther && row >= rows) throw new Error(`line ${row} of a screen of ${rows}`)
  }
  return { ...shown, lines: lines.map((line) => line ?? '') }
}
