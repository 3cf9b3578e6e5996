/**
 * A whole screen of a terminal that is drawn again and again: on the terminal's other screen, so that nothing of what
 * stood there before is lost. Only lines that changed are written. However the process ends, short of a kill, the
 * terminal is left as it was, with its cursor.
 */
export interface Size {
  width: number
  height: number
}

/** What of a terminal's stream is used. */
export interface Terminal {
  columns?: number
  rows?: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

const ENTER = '\u001B[?1049h\u001B[?25l'
const LEAVE = '\u001B[?25h\u001B[?1049l'
const CLEAR = '\u001B[2J'
/** A terminal that knows these shows what stands between them at once. */
const [BEGIN, END] = ['\u001B[?2026h', '\u001B[?2026l']
const TO_END_OF_LINE = '\u001B[K'

export class Screen {
  readonly #stream: Terminal
  readonly #redraw: () => void
  #lines: readonly string[] | undefined

  /** `redraw` is called where the size of the terminal has changed, or the process goes on after a stop. */
  constructor(stream: Terminal, redraw: () => void) {
    this.#stream = stream
    this.#redraw = redraw
  }

  get size(): Size {
    return { width: this.#stream.columns ?? 0, height: this.#stream.rows ?? 0 }
  }

  get open(): boolean {
    return this.#lines !== undefined
  }

  draw(lines: readonly string[]): void {
    if (!this.#lines) this.#enter()
    const before = this.#lines ?? []
    const last = Math.max(lines.length, before.length)
    let written = ''
    for (let row = 0; row < last; row++) {
      const line = lines[row] ?? ''
      if (line !== (before[row] ?? '')) written += `\u001B[${row + 1};1H${line}${TO_END_OF_LINE}`
    }
    this.#lines = lines
    if (written !== '') this.#stream.write(BEGIN + written + END)
  }

  close(): void {
    if (!this.#lines) return
    this.#lines = undefined
    this.#stream.off('resize', this.#resized)
    process.off('exit', this.#left)
    process.off('SIGTSTP', this.#stopped)
    process.off('SIGCONT', this.#resized)
    this.#stream.write(LEAVE)
  }

  #enter(): void {
    this.#lines = []
    this.#stream.on('resize', this.#resized)
    process.on('exit', this.#left)
    process.on('SIGTSTP', this.#stopped)
    process.on('SIGCONT', this.#resized)
    this.#stream.write(ENTER + CLEAR)
  }

  readonly #left = (): void => this.close()

  readonly #resized = (): void => {
    this.#lines = []
    this.#stream.write(ENTER + CLEAR)
    this.#redraw()
  }

  /** Ctrl-Z: the shell gets its own screen back for as long as the process is stopped. */
  readonly #stopped = (): void => {
    this.#stream.write(LEAVE)
    process.kill(process.pid, 'SIGSTOP')
  }
}
