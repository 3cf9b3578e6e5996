/** Shows progress on stderr: one line redrawn on a terminal, a plain line every few seconds elsewhere. */

import { writeNote } from './printable.ts'

interface ProgressSink {
  /** `line` for a terminal, `logLine` for a log; only what fits the place is used. */
  show(line: (width: number) => string, logLine: () => string): void
  /** A line that stays. */
  note(line: string): void
  end(): void
}

const LOG_EVERY_MS = 5_000

/** For a run that shall be quiet. */
export const noProgress: ProgressSink = { show() {}, note() {}, end() {} }

export function progressOnStderr(enabled: boolean): ProgressSink {
  const { stderr } = process
  const live = enabled && stderr.isTTY === true
  let lastLogMs = performance.now()
  let drawn = false
  const clear = (): void => {
    if (drawn) stderr.write('\r\u001B[2K')
    drawn = false
  }
  return {
    show(line, logLine) {
      if (live) {
        stderr.write(`\r\u001B[2K${line((stderr.columns ?? 80) - 1)}`)
        drawn = true
      } else if (enabled && performance.now() - lastLogMs >= LOG_EVERY_MS) {
        lastLogMs = performance.now()
        stderr.write(`${logLine()}\n`)
      }
    },
    note(line) {
      clear()
      writeNote(line)
    },
    end: clear,
  }
}
