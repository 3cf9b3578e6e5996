/**
 * Reads a recorded trace: CSV of Azure (TIMESTAMP,ContextTokens,GeneratedTokens) or BurstGPT (Timestamp,Model,Request
 * tokens, Response tokens,...), or JSONL of Mooncake (timestamp in ms, input_length, output_length). What is wrong is
 * said with its line. Formats: Azure/AzurePublicDataset; HPMLL/BurstGPT; kvcache-ai/Mooncake.
 */
import { basename } from 'node:path'
import { UserError } from '../errors.ts'
import { readText } from '../parse/file.ts'
import { didYouMean } from '../parse/near.ts'

export interface Trace {
  name: string
  /** Seconds since the first request, ascending. */
  atS: Float64Array
  inputTokens: Float64Array
  outputTokens: Float64Array
  /** Rows without output where the format says that this is a failure. */
  failed: number
  /** Times come in lumps of this many seconds: a shorter window says nothing. */
  resolutionS: number
}

/** A span without requests that is longer than this and than a tenth of the trace is a gap. */
const GAP_S = 60
const GAP_SHARE = 0.1

interface Row {
  line: number
  atS: number
  input: number
  output: number
}

interface CsvFormat {
  name: string
  columns: { at: string; input: string; output: string }
  /** Whether an answer of 0 tokens is a failed request. */
  zeroFails: boolean
}

const CSV_FORMATS: CsvFormat[] = [
  { name: 'Azure', columns: { at: 'TIMESTAMP', input: 'ContextTokens', output: 'GeneratedTokens' }, zeroFails: false },
  {
    name: 'BurstGPT',
    columns: { at: 'Timestamp', input: 'Request tokens', output: 'Response tokens' },
    zeroFails: true,
  },
]

export async function readTrace(path: string, allowGaps = false): Promise<Trace> {
  const text = readText(path, 'trace').replace(/^\uFEFF/, '')
  if (text.trim() === '') throw bad(path, 1, 'the trace is empty')
  const { rows, zeroFails } = text.trimStart().startsWith('{')
    ? { rows: jsonRows(path, text), zeroFails: false }
    : await csvRows(path, text)
  return toTrace(path, rows, zeroFails, allowGaps)
}

async function csvRows(path: string, text: string): Promise<{ rows: Row[]; zeroFails: boolean }> {
  const [titles = ''] = text.split('\n', 1)
  if (titles.includes(';') && !titles.includes(',')) {
    throw bad(path, 1, 'the columns are separated by semicolons: export them with commas, and numbers with points')
  }
  // Loaded here, since it takes some ten milliseconds of the start of every plan without a trace.
  const { CsvError, parse } = await import('csv-parse/sync')
  let records: { record: string[]; info: { lines: number } }[]
  try {
    // With `info` csv-parse gives each record with its line, which its types do not say.
    records = parse(text, {
      info: true,
      skip_empty_lines: true,
      trim: true,
      record_delimiter: ['\r\n', '\n'],
    }) as unknown as typeof records
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw bad(path, Number(error.lines ?? 1), csvReason(error.message))
  }
  const [head, ...body] = records
  const header = head?.record ?? []
  const format = CSV_FORMATS.find(({ columns }) => Object.values(columns).every((name) => header.includes(name)))
  if (!format) throw wrongColumns(path, header)
  const [at, input, output] = [format.columns.at, format.columns.input, format.columns.output].map((name) =>
    header.indexOf(name),
  )
  const rows = body.map(({ record, info }) => ({
    line: info.lines,
    atS: secondsAt(path, info.lines, record[at ?? 0] ?? ''),
    input: tokensAt(path, info.lines, format.columns.input, record[input ?? 0]),
    output: tokensAt(path, info.lines, format.columns.output, record[output ?? 0]),
  }))
  return { rows, zeroFails: format.zeroFails }
}

function jsonRows(path: string, text: string): Row[] {
  return text.split('\n').flatMap((line, i): Row[] => {
    if (line.trim() === '') return []
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      throw bad(path, i + 1, 'not a JSON object')
    }
    const object = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
    const field = (name: string): number => {
      const found = object[name]
      if (typeof found === 'number' && Number.isFinite(found) && found >= 0) return found
      throw bad(
        path,
        i + 1,
        found === undefined
          ? `'${name}' is missing`
          : `'${name}' is ${JSON.stringify(found)}, not a number of 0 or more`,
      )
    }
    return [
      { line: i + 1, atS: field('timestamp') / 1_000, input: field('input_length'), output: field('output_length') },
    ]
  })
}

function toTrace(path: string, rows: readonly Row[], zeroFails: boolean, allowGaps: boolean): Trace {
  const [first, last] = [rows[0], rows.at(-1)]
  if (!first || !last || rows.length < 2) throw bad(path, 1, 'a trace needs two requests or more')
  const spanS = last.atS - first.atS
  const steps = new Set<number>()
  rows.forEach((row, i) => {
    const before = rows[i - 1]
    if (!before) return
    const gapS = row.atS - before.atS
    if (gapS < 0) throw bad(path, row.line, `time runs backwards, by ${Number((-gapS).toFixed(3))} s: sort the trace`)
    if (gapS > 0) steps.add(Number(gapS.toFixed(3)))
    if (!allowGaps && gapS > GAP_S && gapS > GAP_SHARE * spanS) {
      throw new UserError(
        `${path}, line ${row.line}: no request for ${Math.round(gapS)} s before it: the trace has a gap`,
        'Peaks over a mean with a gap in it would look too high. ' +
          'Cut the trace there, or give --allow-gaps to take it as it is.',
      )
    }
  })
  if (spanS <= 0) throw bad(path, last.line, 'all requests have the same time')
  const kept = zeroFails ? rows.filter((row) => row.output > 0) : rows
  if (!kept.some(({ input, output }) => input + output > 0))
    throw bad(path, last.line, 'no request of the trace has tokens')
  return {
    name: basename(path),
    atS: Float64Array.from(kept, (row) => row.atS - first.atS),
    inputTokens: Float64Array.from(kept, (row) => row.input),
    outputTokens: Float64Array.from(kept, (row) => row.output),
    failed: rows.length - kept.length,
    resolutionS: Math.min(...steps),
  }
}

/** csv-parse's own words, without its copy of what the file holds. */
function csvReason(message: string): string {
  return message
    .replace(/ on line \d+.*$/s, '')
    .replace(/, value is .*$/s, '')
    .replace(/:? ?the parsing is finished.*$/s, '')
}

/** Seconds since the epoch: '2023-11-16 18:17:03.9799600' (taken as UTC), or a number of seconds. */
function secondsAt(path: string, line: number, text: string): number {
  const stamp = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|\+00:00)?$/.exec(text)
  if (stamp) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = stamp.slice(1, 7).map(Number)
    const ms = Date.UTC(year, month - 1, day, hour, minute, second)
    // A month of 13 would be taken for January of the next year.
    if (new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19).replace(' ', 'T'))
      return ms / 1_000 + Number(stamp[7] ?? 0)
  }
  const seconds = text === '' ? Number.NaN : Number(text)
  if (Number.isFinite(seconds) && seconds >= 0) return seconds
  throw bad(
    path,
    line,
    text === '' ? 'the time is missing' : `'${text}' is not a time (2023-11-16 18:17:03.97, or seconds)`,
  )
}

function tokensAt(path: string, line: number, column: string, text: string | undefined): number {
  const tokens = text === undefined || text === '' ? Number.NaN : Number(text)
  if (Number.isFinite(tokens) && tokens >= 0) return tokens
  throw bad(
    path,
    line,
    text === undefined || text === '' ? `${column} is missing` : `${column} is '${text}', not a number of 0 or more`,
  )
}

function wrongColumns(path: string, header: readonly string[]): UserError {
  const known = CSV_FORMATS.flatMap(({ columns }) => Object.values(columns))
  const near = header.flatMap((name) => {
    const guess = known.includes(name) ? undefined : didYouMean(name, known)
    return guess ? [`'${name}' (did you mean '${guess}'?)`] : []
  })
  const shown = near.length > 0 ? near : header.slice(0, 6)
  return new UserError(
    `${path}, line 1: not the columns of a known trace: ${shown.join(', ')}`,
    CSV_FORMATS.map(({ name, columns }) => `${name}: ${Object.values(columns).join(', ')}`).join('\n'),
  )
}

function bad(path: string, line: number, why: string): UserError {
  return new UserError(`${path}, line ${line}: ${why}`, 'Correct or cut the trace there and run again.')
}
