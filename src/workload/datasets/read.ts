/**
 * Reads a dataset file of any known format as rows of turns, one after the other. What the file is (JSON Lines, a JSON
 * array, CSV, Parquet, plain text) is told by its ending and its first bytes; what a row is, by the first row.
 */
import { extname } from 'node:path'
import { UserError } from '../../errors.ts'
import { asObject } from '../../wire/json.ts'
import { aiperf } from './aiperf.ts'
import { aiperfDag } from './aiperf-dag.ts'
import { type ColumnNames, columns, columnsShape } from './columns.ts'
import { csvRows } from './csv.ts'
import type { DatasetRow } from './dataset.ts'
import { guidellm } from './guidellm.ts'
import { openaiBatch } from './openai-batch.ts'
import { parquetRows } from './parquet.ts'
import { elementsOf, linesOf, type Piece } from './pieces.ts'
import type { FileShape, PlacedRow, RowShape } from './shape.ts'
import { sharegpt } from './sharegpt.ts'
import { type DatasetSource, openSource } from './source.ts'

/** In the order in which they are tried. */
const SHAPES = { sharegpt, 'openai-batch': openaiBatch, 'aiperf-dag': aiperfDag, aiperf, guidellm } as const
const CONTAINERS = ['json', 'csv', 'parquet', 'text'] as const

type Container = (typeof CONTAINERS)[number]

/** What --dataset-format takes: what the file is, or what its rows are. vLLM's rows are rows of columns. */
export const DATASET_FORMATS = [
  ...CONTAINERS,
  'sharegpt',
  'openai-batch',
  'aiperf',
  'aiperf-dag',
  'guidellm',
  'vllm',
] as const

export interface DatasetOptions {
  format?: (typeof DATASET_FORMATS)[number] | undefined
  columns?: ColumnNames | undefined
}

/** A row before it is read: a text is a prompt. */
interface RawRow {
  value: unknown
  place: string
}

export class Dataset {
  readonly path: string
  /** Rows read so far in which nobody asks anything. */
  leftOut = 0
  readonly #options: DatasetOptions

  constructor(path: string, options: DatasetOptions = {}) {
    this.path = path
    this.#options = options
  }

  *rows(): Generator<DatasetRow> {
    const source = openSource(this.path)
    const container = this.#containerOf(source)
    let shape = this.#shapeAsked(container)
    const together: PlacedRow[] = []
    let rows = 0
    for (const { value, place } of rawRows(source, container)) {
      rows++
      if (typeof value === 'string') {
        yield promptRow(value, place)
        continue
      }
      const object = asObject(value)
      if (!object) throw new UserError(`${place}: neither a prompt nor messages`, `A row is ${columns.example}.`)
      shape ??= Object.values(SHAPES).find(({ fits }) => fits(object)) ?? columns
      if ('readAll' in shape) {
        together.push({ row: object, place })
        continue
      }
      const row = shape.read(object, place)
      if (row) yield row
      else this.leftOut++
    }
    if (shape && 'readAll' in shape) yield* shape.readAll(together)
    if (rows > this.leftOut) return
    const why = rows === 0 ? 'the file is empty' : `nobody asks anything in its ${rows} rows`
    throw new UserError(`${this.path}: ${why}`, `A row is ${(shape ?? columns).example}.`)
  }

  #containerOf(source: DatasetSource): Container {
    const { format } = this.#options
    const asked = CONTAINERS.find((each) => each === format)
    return asked ?? (format === 'vllm' ? 'json' : findContainer(source, format !== undefined))
  }

  /** Undefined where the first row is to tell. */
  #shapeAsked(container: Container): RowShape | FileShape | undefined {
    const { format, columns: named } = this.#options
    if (named) return columnsShape(named)
    if (format === 'vllm' || format === 'json' || container === 'csv') return columns
    return Object.entries(SHAPES).find(([name]) => name === format)?.[1]
  }
}

function promptRow(prompt: string, place: string): DatasetRow {
  if (prompt === '') throw new UserError(`${place}: prompt: must not be empty`, `A row is ${columns.example}.`)
  return { place, turns: [{ add: { prompt } }] }
}

function* rawRows(source: DatasetSource, container: Container): Generator<RawRow> {
  const { path } = source
  switch (container) {
    case 'text':
      for (const { text, line } of linesOf(source))
        if (text.trim() !== '') yield { value: text, place: `${path}:${line}` }
      break
    case 'json':
      for (const piece of isArray(source) ? elementsOf(source) : linesOf(source)) {
        if (piece.text.trim() !== '') yield { value: parseJson(piece, path), place: `${path}:${piece.line}` }
      }
      break
    case 'csv':
      for (const { value, line } of csvRows(source)) yield { value, place: `${path}:${line}` }
      break
    case 'parquet': {
      let row = 0
      for (const value of parquetRows(path)) yield { value, place: `${path}, row ${++row}` }
      break
    }
    default:
      container satisfies never
  }
}

const JSON_ENDINGS = ['.json', '.jsonl', '.ndjson']
const CSV_ENDINGS = ['.csv', '.tsv']

function findContainer({ path, name, head }: DatasetSource, rowsAreJson: boolean): Container {
  const ending = extname(name).toLowerCase()
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') {
    if (name === path) return 'parquet'
    throw new UserError(`${path}: a Parquet file within gzip`, 'Unpack it first: gunzip FILE.')
  }
  if (ending === '.parquet') throw new UserError(`${path}: not a Parquet file`, 'Its name ends so: is the file whole?')
  if (CSV_ENDINGS.includes(ending)) return 'csv'
  return rowsAreJson || JSON_ENDINGS.includes(ending) || beginsAsJson(head) ? 'json' : 'text'
}

/** A plain text may begin with a quote or a bracket too: the first line tells. */
function beginsAsJson(head: Buffer): boolean {
  const [line = ''] = head.toString('utf8').trimStart().split('\n', 1)
  if (/^\[\s*$|^\[\s*[{"]|^\{\s*"/.test(line)) return true
  try {
    const value = JSON.parse(line)
    return typeof value === 'string' || asObject(value) !== undefined
  } catch {
    return false
  }
}

/** In JSON Lines no line of a dataset is a list. */
function isArray({ head }: DatasetSource): boolean {
  return head.toString('utf8').trimStart().startsWith('[')
}

function parseJson(piece: Piece, path: string): unknown {
  try {
    return JSON.parse(piece.text)
  } catch (error) {
    const said = error instanceof Error ? error.message.replaceAll(/\s+/g, ' ') : ''
    // V8 says more: a place in the text, at times, and what stands there.
    const [why = ''] = said.split(/ in JSON at position |, (?:\.\.\.)?"/)
    const before = piece.text.slice(0, findFault(piece.text)).split('\n')
    const column = (before.at(-1)?.length ?? 0) + (before.length > 1 ? 1 : piece.column)
    const place = `${path}:${piece.line + before.length - 1}:${column}`
    throw new UserError(`${place}: not JSON: ${why}`, `A row is ${columns.example}.`)
  }
}

/** Where JSON goes wrong: a beginning of it that ends before that place is only cut off. */
function findFault(text: string): number {
  let [sound, faulty] = [0, text.length + 1]
  while (faulty - sound > 1) {
    const middle = Math.floor((sound + faulty) / 2)
    if (isOnlyCut(text.slice(0, middle))) sound = middle
    else faulty = middle
  }
  return sound
}

function isOnlyCut(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    const at = /at position (\d+)/.exec(said)?.[1]
    return /^Unexpected end|^Unterminated/.test(said) || (at !== undefined && Number(at) >= text.length)
  }
}
