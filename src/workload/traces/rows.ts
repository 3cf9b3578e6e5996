/** From the pieces of a file to its rows, in the order of their times: CSV or JSON, of any format of the table. */
import { CsvRows } from './csv.ts'
import { type CsvColumns, formatOf, type TraceColumns } from './formats.ts'
import { JsonRows } from './json.ts'
import { LineCutter } from './lines.ts'
import { HELD_BACK, RowOrder } from './order.ts'
import { type RowSink, type RowTimes, traceFault } from './row.ts'

const JSON_BEGINS = new Set(['{', '['].map((char) => char.charCodeAt(0)))

export interface RowReaderOptions {
  /** What --trace-columns names, instead of a known format. */
  columns?: CsvColumns | undefined
  /** Hears how long each request took, as the rows stand in the file; failed ones too. */
  timed?: ((output: number, times: RowTimes, failed: boolean) => void) | undefined
}

export class RowReader {
  /** Rows of failed requests: their format says that an answer of 0 tokens is one. */
  failed = 0
  /** Rows, the failed ones too. */
  count = 0
  readonly #path: string
  readonly #asked: ReturnType<typeof formatOf> | undefined
  readonly #sink: RowSink
  readonly #lines: LineCutter
  #reader: CsvRows | JsonRows | undefined
  #order: RowOrder | undefined
  #zeroFails = false
  readonly #timed: RowReaderOptions['timed']

  constructor(path: string, { columns, timed }: RowReaderOptions, sink: RowSink) {
    this.#path = path
    this.#timed = timed
    this.#asked = columns && formatOf(columns)
    this.#sink = sink
    this.#lines = new LineCutter(path, (bytes, from, to, line) => this.#line(bytes, from, to, line))
  }

  /** Lines that were read so far. */
  get lines(): number {
    return this.#lines.count
  }

  /** The name of the format, once the first row was read. */
  get format(): string {
    return this.#reader?.format?.name ?? 'unknown'
  }

  /** What its columns are called. */
  get columns(): TraceColumns {
    return this.#reader?.format?.columns ?? { at: 'time', input: 'input', output: 'output' }
  }

  /** Tokens of a block that a hash stands for. */
  get blockTokens(): number {
    return this.#reader instanceof JsonRows ? (this.#reader.format?.blockTokens ?? 0) : 0
  }

  push(piece: Buffer): void {
    this.#lines.push(piece)
  }

  /** The file is over. */
  end(): void {
    this.#lines.end()
    if (this.#reader instanceof JsonRows) this.#reader.end()
    if (this.#lines.count === 0 || !this.#reader) throw traceFault(this.#path, 1, 'the trace is empty')
    this.#order?.end()
  }

  /**
   * After each piece and after the end: hands on up to `most` of the rows that need not be held back any longer, of a
   * format that is put in order; whether there are more.
   */
  release(most: number): boolean {
    return this.#order?.release(most) ?? false
  }

  #line(bytes: Buffer, from: number, to: number, line: number): void {
    if (this.#reader) {
      this.#reader.line(bytes, from, to, line)
      return
    }
    const sink: RowSink = (row, atUs, input, output, ids, times) => this.#row(row, atUs, input, output, ids, times)
    if (JSON_BEGINS.has(bytes[from] ?? 0)) {
      this.#reader = new JsonRows(this.#path, this.#asked, sink)
      this.#reader.line(bytes, from, to, line)
    } else this.#reader = new CsvRows(this.#path, bytes.toString('utf8', from, to), this.#asked, sink)
  }

  #row(line: number, atUs: number, input: number, output: number, ids?: readonly number[], times?: RowTimes): void {
    const order = this.#order ?? this.#begin()
    this.count++
    if (this.#timed && times) this.#timed(output, times, output === 0 && this.#zeroFails)
    if (output === 0 && this.#zeroFails) this.failed++
    else order.add(line, atUs, input, output, ids)
  }

  #begin(): RowOrder {
    const format = this.#reader?.format
    const document = this.#reader instanceof JsonRows && this.#reader.document
    const held = document ? Number.POSITIVE_INFINITY : format?.byEnd ? HELD_BACK : 0
    this.#zeroFails = format?.zeroFails ?? false
    this.#order = new RowOrder(this.#path, held, this.columns.at, this.#sink)
    return this.#order
  }
}
