/**
 * Shows progress on stderr: a whole screen or one line redrawn on a terminal, a plain line every few seconds in a pipe,
 * in CI and on a terminal that cannot redraw.
 */
import { CostLimit } from './cost-limit.ts'
import { printable, writeNote } from './printable.ts'
import { Screen, type Size, type Terminal } from './screen.ts'
import { canRedraw, widthOf } from './terminal.ts'
import { loadForText } from './text-width.ts'

/** What is shown, in every form that a place may need. */
interface Shown {
  line(width: number): string
  logLine(): string
  /** A whole screen, with the notes that came since it was opened. */
  screen?: ((size: Size, notes: readonly string[]) => string[]) | undefined
}

interface ProgressSink {
  /** Whether a screen may be drawn: nobody needs to make one otherwise. */
  screens: boolean
  show(shown: Shown): void
  /** A line that stays; an error also where nothing else is shown. */
  note(line: string, isError?: boolean): void
  /** The same, of progress alone: left out where there is no progress to be shown. */
  log(line: string): void
  end(): void
}

interface Options {
  /** A program reads what is printed, so that only a person at a terminal is told of progress. */
  json: boolean
  /** The smallest screen that is drawn; undefined where a line is enough. */
  screenFrom?: Size | undefined
  stream?: Terminal & Parameters<typeof canRedraw>[0]
}

const LOG_EVERY_MS = 5_000
const DRAW_EVERY_MS = 500

/** For a run that shall be quiet. */
export const noProgress: ProgressSink = {
  screens: false,
  show() {},
  note: (line, isError) => isError && writeNote(line),
  log() {},
  end() {},
}

export function progressOnStderr({ json, screenFrom, stream: stderr = process.stderr }: Options): ProgressSink {
  const live = canRedraw(stderr)
  const shown = !json || stderr.isTTY === true
  const screens = live && screenFrom !== undefined
  // Else the first draw would, and its time would hold back the next ones.
  if (screens) loadForText()
  const cost = new CostLimit()
  let lastLogMs = performance.now()
  let lastDrawMs = Number.NEGATIVE_INFINITY
  let drawn = false
  let latest: Shown['screen']
  /** Notes that came while the screen was open: they are kept from the screen that is left then. */
  let notes: string[] = []
  const draw = (): void => {
    if (latest && fits(screen.size)) {
      lastDrawMs = performance.now()
      screen.draw(latest(screen.size, notes))
    } else closeScreen()
  }
  const screen = new Screen(stderr, draw)
  const closeScreen = (): void => {
    latest = undefined
    screen.close()
    for (const line of notes) writeNote(line)
    notes = []
  }
  const fits = ({ width, height }: Size): boolean => {
    return screens && width >= screenFrom.width && height >= screenFrom.height
  }
  const clear = (): void => {
    if (drawn) stderr.write('\r\u001B[2K')
    drawn = false
  }
  const note = (line: string): void => {
    if (screen.open) {
      notes.push(printable(line))
      return
    }
    clear()
    writeNote(line)
  }
  return {
    screens,
    show({ line, logLine, screen: whole }) {
      if (whole && fits(screen.size)) {
        clear()
        latest = whole
        if (performance.now() - lastDrawMs >= DRAW_EVERY_MS) cost.run(draw)
        return
      }
      if (screen.open) closeScreen()
      if (live) {
        stderr.write(`\r\u001B[2K${line(Math.min(widthOf(stderr), stderr.columns ?? 80) - 1)}`)
        drawn = true
      } else if (shown && performance.now() - lastLogMs >= LOG_EVERY_MS) {
        lastLogMs = performance.now()
        stderr.write(`${logLine()}\n`)
      }
    },
    note,
    log(line) {
      if (shown) note(line)
    },
    end() {
      if (screen.open) closeScreen()
      clear()
    },
  }
}
