/**
 * Rows of a CSV trace. Plain lines are read from their bytes, which is what makes a million rows a second possible
 * (docs/dependencies.md says by how much); titles and lines with quotes are csv-parse's.
 */
import { type CsvError, parse } from 'csv-parse/sync'
import { UserError } from '../../errors.ts'
import { didYouMean } from '../../parse/near.ts'
import { CSV_FORMATS, type CsvColumns, type CsvFormat } from './formats.ts'
import { type RowSink, tokensOf, traceFault } from './row.ts'
import { secondsUs, stampUs, timeOf } from './times.ts'

const [COMMA, QUOTE, ZERO, BLANK, TAB] = [44, 34, 48, 32, 9]
/** Digits of a number that is read from its bytes. */
const FEW = 9

export class CsvRows {
  readonly format: CsvFormat
  readonly #path: string
  readonly #sink: RowSink
  readonly #columns: CsvColumns
  readonly #count: number
  /** Places of the three columns. */
  readonly #at: number
  readonly #input: number
  readonly #output: number
  /** Where each field of a line begins and ends. */
  readonly #from: Uint32Array
  readonly #to: Uint32Array

  constructor(path: string, titles: string, asked: CsvFormat | undefined, sink: RowSink) {
    this.#path = path
    this.#sink = sink
    if (titles.includes(';') && !titles.includes(',')) {
      const why = 'the columns are separated by semicolons: export them with commas, and numbers with points'
      throw traceFault(path, 1, why)
    }
    const header = this.#fields(titles, 1)
    this.format = asked ?? knownFormat(path, header)
    this.#columns = this.format.columns
    const places = [this.#columns.at, this.#columns.input, this.#columns.output].map((title) => {
      const place = header.indexOf(title)
      if (place === -1) throw missingTitle(path, title, header)
      return place
    })
    ;[this.#at = 0, this.#input = 0, this.#output = 0] = places
    this.#count = header.length
    this.#from = new Uint32Array(this.#count)
    this.#to = new Uint32Array(this.#count)
  }

  line(bytes: Buffer, from: number, to: number, line: number): void {
    let fields = 0
    let begin = from
    for (let at = from; at < to; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.#quoted(bytes.toString('utf8', from, to), line)
        return
      }
      if (byte !== COMMA) continue
      this.#from[fields] = begin
      this.#to[fields] = at
      fields++
      begin = at + 1
    }
    this.#from[fields] = begin
    this.#to[fields] = to
    if (++fields !== this.#count) throw this.#wrongCount(fields, line)
    this.#sink(
      line,
      this.#time(bytes, line),
      this.#tokens(bytes, this.#input, this.#columns.input, line),
      this.#tokens(bytes, this.#output, this.#columns.output, line),
    )
  }

  #time(bytes: Buffer, line: number): number {
    const { at, unit } = this.#columns
    const [from, to] = [this.#from[this.#at] ?? 0, this.#to[this.#at] ?? 0]
    const stamp = stampUs(bytes, from, to)
    if (!Number.isNaN(stamp)) return stamp
    const seconds = unit === 's' ? secondsUs(bytes, from, to) : Number.NaN
    return Number.isNaN(seconds) ? timeOf(bytes.toString('utf8', from, to), unit, this.#path, line, at) : seconds
  }

  #tokens(bytes: Buffer, place: number, title: string, line: number): number {
    const [from, to] = [this.#from[place] ?? 0, this.#to[place] ?? 0]
    let value = 0
    for (let at = from; at < to; at++) {
      const digit = (bytes[at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) return this.#oddTokens(bytes, from, to, title, line)
      value = value * 10 + digit
    }
    return to === from || to - from > FEW ? this.#oddTokens(bytes, from, to, title, line) : value
  }

  #oddTokens(bytes: Buffer, from: number, to: number, title: string, line: number): number {
    let [begin, end] = [from, to]
    while (begin < end && isBlank(bytes[begin])) begin++
    while (end > begin && isBlank(bytes[end - 1])) end--
    return tokensOf(bytes.toString('utf8', begin, end), this.#path, line, title)
  }

  #quoted(text: string, line: number): void {
    const fields = this.#fields(text, line)
    if (fields.length !== this.#count) throw this.#wrongCount(fields.length, line)
    const { at, unit, input, output } = this.#columns
    this.#sink(
      line,
      timeOf(fields[this.#at], unit, this.#path, line, at),
      tokensOf(fields[this.#input], this.#path, line, input),
      tokensOf(fields[this.#output], this.#path, line, output),
    )
  }

  #fields(text: string, line: number): string[] {
    try {
      return (parse(text, { trim: true, relax_column_count: true }) as string[][])[0] ?? []
    } catch (error) {
      throw traceFault(this.#path, line, csvReason(error as CsvError))
    }
  }

  #wrongCount(fields: number, line: number): UserError {
    return traceFault(this.#path, line, `${fields} columns, and the titles are ${this.#count}`)
  }
}

function isBlank(byte = 0): boolean {
  return byte === BLANK || byte === TAB
}

/** csv-parse's own words, without its copy of what the file holds. */
function csvReason({ message }: CsvError): string {
  return message
    .replace(/ (on|at) line \d+.*$/s, '')
    .replace(/, value is .*$/s, '')
    .replace(/:? ?the parsing is finished.*$/s, '')
}

function knownFormat(path: string, header: readonly string[]): CsvFormat {
  const format = CSV_FORMATS.find(({ columns: { at, input, output } }) =>
    [at, input, output].every((title) => header.includes(title)),
  )
  if (format) return format
  const known = CSV_FORMATS.flatMap(({ columns }) => [columns.at, columns.input, columns.output])
  const near = header.flatMap((title) => {
    const guess = known.includes(title) ? undefined : didYouMean(title, known)
    return guess ? [`'${title}' (did you mean '${guess}'?)`] : []
  })
  const shown = near.length > 0 ? near : header.slice(0, 6)
  throw new UserError(
    `${path}, line 1: not the columns of a known trace: ${shown.join(', ')}`,
    `${CSV_FORMATS.map(({ name, columns: { at, input, output } }) => `${name}: ${at}, ${input}, ${output}`).join('\n')}
Others are named by --trace-columns at=...,input=...,output=...`,
  )
}

function missingTitle(path: string, title: string, header: readonly string[]): UserError {
  const near = didYouMean(title, header)
  return new UserError(
    `${path}, line 1: no column ${title}${near ? ` (did you mean '${near}'?)` : ''}`,
    `Its columns: ${header.slice(0, 12).join(', ')}.`,
  )
}
