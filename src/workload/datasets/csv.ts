/** Rows of a CSV file with a line of titles, each as an object of its columns. Fields may hold commas and line ends. */
import { createRequire } from 'node:module'
import type { CsvError } from 'csv-parse/sync'
import { UserError } from '../../errors.ts'
import { linesOf, type Piece } from './pieces.ts'
import type { DatasetSource } from './source.ts'

/** csv-parse has a cost for each call, so that it gets several records at once. */
const AT_ONCE = 64 * 1024

export interface CsvRow {
  value: Record<string, string>
  line: number
}

export function* csvRows(source: DatasetSource): Generator<CsvRow> {
  const records = recordsOf(source)
  const first = records.next()
  if (first.done) return
  const delimiter = delimiterOf(first.value.text)
  const parse = csvParser(source.path, delimiter)
  const [titles = []] = parse([first.value])
  const twice = titles.find((title, i) => titles.indexOf(title) !== i)
  if (twice !== undefined) {
    throw new UserError(`${source.path}:1: the title '${twice}' stands there twice`, 'Give each column its own title.')
  }
  for (const batch of batchesOf(records)) {
    const rows = parse(batch)
    for (const [i, fields] of rows.entries()) {
      const { line } = batch[i] ?? first.value
      if (fields.length !== titles.length) throw wrongCount(source.path, line, fields.length, titles)
      yield { value: Object.fromEntries(titles.map((title, column) => [title, fields[column] ?? ''])), line }
    }
  }
}

/** A record goes on over line ends for as long as a quote is open; a quote within a field is written twice. */
function* recordsOf(source: DatasetSource): Generator<Piece> {
  let open: Piece | undefined
  for (const line of linesOf(source)) {
    const record: Piece = open ? { ...open, text: `${open.text}\n${line.text}` } : line
    open = isOpen(line.text) !== (open !== undefined) ? record : undefined
    if (!open && record.text.trim() !== '') yield record
  }
  if (open) throw new UserError(`${source.path}:${open.line}: a quote opens here and never closes`, QUOTES)
}

const QUOTES = 'Write a quote within a field twice: "She said ""hello""".'

/** Whether it has an odd number of quotes. */
function isOpen(text: string): boolean {
  let odd = false
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) odd = !odd
  return odd
}

function* batchesOf(records: Iterable<Piece>): Generator<Piece[]> {
  let batch: Piece[] = []
  let chars = 0
  for (const record of records) {
    batch.push(record)
    chars += record.text.length
    if (chars < AT_ONCE) continue
    yield batch
    batch = []
    chars = 0
  }
  if (batch.length > 0) yield batch
}

/** The character between titles: spreadsheets of many countries write semicolons. */
function delimiterOf(titles: string): string {
  const counts = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: titles.split(delimiter).length }))
  return counts.reduce((most, each) => (each.count > most.count ? each : most)).delimiter
}

function csvParser(path: string, delimiter: string): (records: readonly Piece[]) => string[][] {
  // Loaded here, since few runs need it.
  const { parse } = createRequire(import.meta.url)('csv-parse/sync') as typeof import('csv-parse/sync')
  const parseAll = (records: readonly Piece[]): string[][] =>
    parse(records.map(({ text }) => text).join('\n'), { delimiter, relax_column_count: true, record_delimiter: '\n' })
  return (records) => {
    try {
      const rows = parseAll(records)
      if (rows.length === records.length) return rows
    } catch {
      // Below, one by one: that finds the record.
    }
    return records.map((record) => {
      try {
        return parseAll([record])[0] ?? []
      } catch (error) {
        throw new UserError(`${path}:${record.line}: ${csvReason(error as CsvError)}`, QUOTES)
      }
    })
  }
}

/** csv-parse's own words, without its places and its copy of what the file holds. */
function csvReason({ message }: CsvError): string {
  return message.replace(/ (?:on|at) line \d+.*$/s, '').replace(/, (?:value|got) .*$/s, '')
}

function wrongCount(path: string, line: number, fields: number, titles: readonly string[]): UserError {
  return new UserError(
    `${path}:${line}: ${fields} fields, and the titles are ${titles.length}: ${titles.join(', ')}`,
    'Put a field with commas or line ends between quotes: "Hello, world".',
  )
}
