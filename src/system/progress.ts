/**
 * Shows progress on stderr: one line redrawn on a terminal, a plain line every few seconds in a pipe, in CI and on a
 * terminal that cannot redraw.
 */
import { writeNote } from './printable.ts'
import { canRedraw, widthOf } from './terminal.ts'

interface ProgressSink {
  /** `line` for a terminal, `logLine` for a log; only what fits the place is used. */
  show(line: (width: number) => string, logLine: () => string): void
  /** A line that stays. */
  note(line: string): void
  /** The same, of progress alone: left out where there is no progress to be shown. */
  log(line: string): void
  end(): void
}

const LOG_EVERY_MS = 5_000

/** For a run that shall be quiet. */
export const noProgress: ProgressSink = { show() {}, note() {}, log() {}, end() {} }

/** `json`: a program reads what is printed, so that only a person at a terminal is told of progress. */
export function progressOnStderr(json: boolean): ProgressSink {
  const { stderr } = process
  const live = canRedraw(stderr)
  const shown = !json || stderr.isTTY === true
  let lastLogMs = performance.now()
  let drawn = false
  const clear = (): void => {
    if (drawn) stderr.write('\r\u001B[2K')
    drawn = false
  }
  const note = (line: string): void => {
    clear()
    writeNote(line)
  }
  return {
    show(line, logLine) {
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
    end: clear,
  }
}
