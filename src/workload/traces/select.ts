/**
 * Which rows of a trace are replayed, and when: a window of its time, a seeded share of its rows, at a speed, up to so
 * many rows or so long. What cannot be sent is refused here: a request without tokens, a silence that nobody waits for.
 */
import { UserError } from '../../errors.ts'
import { hash32 } from '../../stats/random.ts'
import { formatDuration } from '../../units.ts'
import { MAX_TOKENS } from '../distribution.ts'
import type { TraceColumns } from './formats.ts'
import { type RowSink, traceFault } from './row.ts'

export interface TraceSelection {
  /** How many times faster than it was recorded. */
  speed: number
  /** Of the rows, drawn by the seed. */
  share: number
  seed: number
  /** After the first request of the trace. */
  fromUs: number
  toUs: number
  /** Of the replay: the first limit reached ends it. */
  rows: number
  durationUs: number
}

/** A replay that sends nothing for longer is no load. */
const LONGEST_SILENCE_US = 600_000_000
const THINNED_OF = 4_294_967_296

export type ReplaySink = (dueUs: number, input: number, output: number, ids: readonly number[] | undefined) => void

export class RowSelector {
  /** Rows beyond this one are not needed. */
  over = false
  /** Rows that are replayed. */
  count = 0
  readonly #path: string
  readonly #selection: TraceSelection
  readonly #columns: () => TraceColumns
  readonly #sink: ReplaySink
  #firstUs = Number.NaN
  #lastDueUs = 0
  #seen = 0

  constructor(path: string, selection: TraceSelection, columns: () => TraceColumns, sink: ReplaySink) {
    this.#path = path
    this.#selection = selection
    this.#columns = columns
    this.#sink = sink
  }

  readonly row: RowSink = (line, atUs, input, output, ids) => {
    if (this.over) return
    const { fromUs, toUs, speed, share, seed, rows, durationUs } = this.#selection
    if (Number.isNaN(this.#firstUs)) this.#firstUs = atUs
    const sinceUs = atUs - this.#firstUs
    if (sinceUs < fromUs) return
    const dueUs = (sinceUs - fromUs) / speed
    if (sinceUs >= toUs || dueUs >= durationUs || this.count >= rows) {
      this.over = true
      return
    }
    this.#checkTokens(line, input, this.#columns().input)
    this.#checkTokens(line, output, this.#columns().output)
    this.#checkSilence(line, dueUs)
    if (share < 1 && hash32(`thin/${seed}/${this.#seen++}`) >= share * THINNED_OF) return
    this.count++
    this.#sink(dueUs, input, output, ids)
  }

  #checkTokens(line: number, tokens: number, column: string): void {
    if (tokens >= 1 && tokens <= MAX_TOKENS) return
    const why = tokens === 0 ? '0 tokens: no request has none' : `${tokens} tokens: more than any model takes`
    throw traceFault(this.#path, line, why, column)
  }

  #checkSilence(line: number, dueUs: number): void {
    const silentUs = dueUs - this.#lastDueUs
    this.#lastDueUs = dueUs
    if (silentUs <= LONGEST_SILENCE_US) return
    const { speed } = this.#selection
    const [recorded, replayed] = [silentUs * speed, silentUs].map((us) => formatDuration(us / 1_000))
    throw new UserError(
      `${this.#path}, line ${line}, column ${this.#columns().at}: no request for ${recorded} before it` +
        (speed === 1 ? '' : `, ${replayed} of the replay`),
      'Replay one side of the gap with --from and --to, or the whole at a higher --speed.',
    )
  }
}
