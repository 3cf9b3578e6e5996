/**
 * Feeds a trace to the sending threads: reads it as far ahead as the ring has room. A file is read once before, so that
 * a fault in it is told before anything is sent; a FIFO can be read only once, so a fault there ends the run.
 */
import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import type { CsvColumns } from './formats.ts'
import { RING_IDS, RING_ROWS, RingRows, type TraceRing } from './ring.ts'
import { type ReplaySink, RowSelector, type TraceSelection } from './select.ts'
import { isRegularFile, readPieces } from './source.ts'

/** What a replay asks for. */
export interface TraceTotals {
  format: string
  rows: number
  /** Rows of failed requests, left out. */
  failed: number
  inputTokens: number
  outputTokens: number
  /** From the beginning to the instant at which one more request would be due. */
  spanUs: number
  /** Hashes of blocks, of all rows. */
  ids: number
  /** Of everything that is replayed. */
  sha256: string
}

/** More rows than a piece of a file can hold. */
const ROOM = 16_384
const WAIT_MS = 2
const NUMBERS_OF_A_ROW = 3

export interface TraceFile {
  path: string
  columns?: CsvColumns | undefined
  selection: TraceSelection
}

export class TraceFeed {
  /** What is wrong with the trace, found while it was replayed. */
  fault: UserError | undefined
  readonly regular: boolean
  readonly #file: TraceFile
  readonly #ring: RingRows
  readonly #leaving: (from: number, to: number) => void
  readonly #stop = new AbortController()
  #workers = 1
  #accounted = 0
  #feeding: Promise<TraceTotals | undefined> = Promise.resolve(undefined)

  /** `leaving` hears of rows that all senders are done with, before their place is taken by others. */
  constructor(file: TraceFile, ring: TraceRing, leaving: (from: number, to: number) => void) {
    this.regular = isRegularFile(file.path)
    this.#file = file
    this.#ring = new RingRows(ring)
    this.#leaving = leaving
  }

  /** Reads the whole of it without sending any of it. */
  scan(): Promise<TraceTotals> {
    return this.#read(
      () => {},
      async () => {},
    )
  }

  /** Begins to fill the ring; resolves when the first rows are there, or none will be. */
  async start(): Promise<void> {
    this.#feeding = this.#feed()
    while (this.#ring.written === 0 && !this.#ring.over) await wait(WAIT_MS)
    if (this.fault) throw this.fault
  }

  /** The number of threads that share the rows. */
  set workers(count: number) {
    this.#workers = count
  }

  /** No more rows are read. */
  stop(): void {
    this.#stop.abort()
  }

  /** After the run: what it asked for; undefined where a fault ended it. */
  async close(): Promise<TraceTotals | undefined> {
    this.stop()
    const totals = await this.#feeding
    this.#account()
    return totals
  }

  async #feed(): Promise<TraceTotals | undefined> {
    try {
      const totals = await this.#read((dueUs, input, output, ids, blockTokens) => {
        this.#ring.write(dueUs, input, output, ids, blockTokens)
      }, this.#room)
      this.#ring.end(totals.spanUs)
      return totals
    } catch (error) {
      this.fault = error instanceof UserError ? error : new UserError(String(error), 'Report it as a bug of kt.')
      this.#ring.fail()
      return undefined
    }
  }

  readonly #room = async (): Promise<void> => {
    while (!this.#stop.signal.aborted) {
      this.#account()
      const isRoomForRows = this.#ring.written - this.#accounted <= RING_ROWS - ROOM
      if (isRoomForRows && this.#ring.hasRoomForIds(this.#accounted)) return
      await wait(WAIT_MS)
    }
  }

  #account(): void {
    const taken = this.#ring.taken(this.#workers)
    if (taken <= this.#accounted) return
    this.#leaving(this.#accounted, taken)
    this.#accounted = taken
  }

  async #read(
    sink: (...row: [...Parameters<ReplaySink>, blockTokens: number]) => void,
    room: () => Promise<void>,
  ): Promise<TraceTotals> {
    // Loaded here, since csv-parse takes some ten milliseconds of every start.
    const { RowReader } = await import('./rows.ts')
    const { path, columns, selection } = this.#file
    const { signal } = this.#stop
    const totals = { rows: 0, inputTokens: 0, outputTokens: 0, ids: 0, lastDueUs: 0 }
    const digest = createHash('sha256')
    const batch = new Float64Array(NUMBERS_OF_A_ROW * ROOM)
    let filled = 0
    const select = new RowSelector(
      path,
      selection,
      () => reader.columns,
      (dueUs, input, output, ids) => {
        totals.rows++
        totals.inputTokens += input
        totals.outputTokens += output
        totals.ids += ids?.length ?? 0
        totals.lastDueUs = dueUs
        batch[filled++] = dueUs
        batch[filled++] = input
        batch[filled++] = output
        if (filled === batch.length) {
          digest.update(batch)
          filled = 0
        }
        if (ids) digest.update(JSON.stringify(ids))
        sink(dueUs, input, output, ids, reader.blockTokens)
      },
    )
    const reader = new RowReader(path, { columns }, select.row)
    const handOn = async (): Promise<void> => {
      await room()
      while (!select.over && reader.release(ROOM)) await room()
    }
    for await (const piece of readPieces(path, () => reader.lines, signal)) {
      reader.push(piece)
      await handOn()
      if (select.over || signal.aborted) break
    }
    if (!select.over && !signal.aborted) {
      reader.end()
      await handOn()
    }
    if (totals.rows === 0 && !signal.aborted) throw noRows(path, reader.count)
    digest.update(batch.subarray(0, filled))
    const { lastDueUs, ...sums } = totals
    const meanGapUs = totals.rows > 1 ? lastDueUs / (totals.rows - 1) : 0
    return {
      ...sums,
      format: reader.format,
      failed: reader.failed,
      spanUs: Math.min(lastDueUs + meanGapUs, selection.durationUs),
      sha256: digest.digest('hex'),
    }
  }
}

/** Whether all of it is in the ring at once. */
export function fitsInRing({ rows, ids }: TraceTotals): boolean {
  return rows <= RING_ROWS && ids <= RING_IDS
}

function noRows(path: string, read: number): UserError {
  return new UserError(
    read === 0 ? `${path}: no request in it` : `${path}: none of its ${read} requests is replayed`,
    'Check --from, --to and --trace-share, and what the file holds.',
  )
}
