/**
 * Reads a report that a user names and refuses every other file: each kind of wrong file has its own sentence,
 * because a report that is misread gives a wrong verdict. Only JSON is read. Reports of earlier versions are migrated;
 * other schemas are named in the refusal, never guessed at.
 */
import { reasonOf, UserError } from '../errors.ts'
import { parseWith, readText } from '../parse/file.ts'
import { findContradiction } from './contradictions.ts'
import { isObject, MIGRATIONS } from './migrate.ts'
import { runsOf } from './runs.ts'
import { type BenchReport, benchReportSchema, REPORT_SCHEMA, type Run } from './schema.ts'
import { SWEEP_SCHEMA, type SweepReport, sweepSchema } from './sweep-schema.ts'

const MAKE_ONE = "Write one with 'kt bench --output report.json'."

/** The report in a file, as this kt writes it. */
export function readReport(path: string): BenchReport {
  return checkedReport(parse(readText(path, 'report'), path), path)
}

/** The gateway that the report is about, with its baseline. */
export function readRun(path: string): Run {
  return onlyRun(readReport(path), path)
}

/** The same of a report that is read already; `name` stands for its file. */
export function toRun(report: unknown, name: string): Run {
  return onlyRun(checkedReport(report, name), name)
}

/** A whole report that is read already. */
export function toReport(report: unknown, name: string): BenchReport {
  return checkedReport(report, name)
}

function onlyRun(report: BenchReport, path: string): Run {
  const [run, ...others] = runsOf(report)
  if (others.length === 0) return run
  const names = [run, ...others].map(({ name }) => name)
  throw new UserError(
    `${path}: it holds ${names.length} gateways (${names.join(', ')}), and one is to be read here`,
    `Give the report of one: kt bench --output r.json --split writes r.${run.name}.json and the others.`,
  )
}

/** What a file of kt says of its format, and its value, which nobody has checked yet. */
export function readResult(path: string): { schema: string | undefined; value: unknown } {
  const value = parse(readText(path, 'report'), path)
  return { schema: schemaOf(value), value }
}

/** Reads the report of a run or of a sweep. */
export function readMeasurement(path: string): Run | SweepReport {
  const value = parse(readText(path, 'report'), path)
  return schemaOf(value) === SWEEP_SCHEMA ? parseWith(value, sweepSchema, path, 'report') : toRun(value, path)
}

function checkedReport(value: unknown, path: string): BenchReport {
  const schema = schemaOf(value)
  const migrate = MIGRATIONS.get(schema)
  if (!isObject(value) || (schema !== REPORT_SCHEMA && !migrate)) throw otherSchema(path, value, schema)
  const report = parseWith(migrate ? migrate(value) : value, benchReportSchema, path, 'report')
  const contradiction = findContradiction(report)
  if (contradiction) {
    throw new UserError(
      `${path}: the report contradicts itself, it was edited or damaged: ${contradiction}`,
      'Use the file as kt bench wrote it, or measure again.',
    )
  }
  return report
}

function parse(text: string, path: string): unknown {
  const trimmed = text.trim()
  if (trimmed === '') throw new UserError(`${path}: the file is empty`, MAKE_ONE)
  if (trimmed.startsWith('<')) throw new UserError(`${path}: this is a web page, not a report`, MAKE_ONE)
  try {
    return JSON.parse(trimmed)
  } catch (error) {
    // A file is cut off when the parser failed at the end of the text, not within it.
    const [, position] = /at position (\d+)/.exec(reasonOf(error)) ?? []
    const atEnd = position === undefined || Number(position) >= trimmed.length - 1
    const cut = trimmed.startsWith('{') && (atEnd || /Unterminated/.test(reasonOf(error)))
    throw new UserError(
      cut ? `${path}: the report breaks off: the file is truncated` : `${path}: this is not JSON`,
      cut ? 'Copy it again, or measure again.' : MAKE_ONE,
    )
  }
}

function schemaOf(value: unknown): string | undefined {
  if (!isObject(value)) return undefined
  return typeof value.schema === 'string' ? value.schema : undefined
}

function otherSchema(path: string, value: unknown, schema: string | undefined): UserError {
  if (schema === undefined) {
    const found = foreign(value)
    return new UserError(`${path}: this is ${found}, not a report of kt bench`, MAKE_ONE)
  }
  const version = /^kt\.bench\/(\d+)$/.exec(schema)?.[1]
  if (version === undefined) {
    return new UserError(`${path}: this is a ${schema.slice(0, 60)} report, not ${REPORT_SCHEMA}`, MAKE_ONE)
  }
  const newer = Number(version) > Number(REPORT_SCHEMA.split('/')[1])
  return new UserError(
    `${path}: this is ${schema}, from ${newer ? 'a newer' : 'an older'} kt; this one reads ${REPORT_SCHEMA}`,
    newer ? 'Update kt, or measure again with this one.' : 'Measure again.',
  )
}

/** Names the file of another tool where it is known. */
function foreign(value: unknown): string {
  const isK6 = isObject(value) && isObject(value.metrics) && 'http_req_duration' in value.metrics
  return isK6 ? 'a k6 summary' : 'JSON of another kind'
}
