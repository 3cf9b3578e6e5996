/**
 * Reads a report that a user names, and refuses what is none: each kind of wrong file has its own sentence, since a report
 * that is misread is a wrong verdict. JSON only. Older and newer schemas are named, never guessed at.
 */
import { reasonOf, UserError } from '../errors.ts'
import { parseWith, readText } from '../parse/file.ts'
import { contradictionIn } from './integrity.ts'
import { type BenchReport, benchReportSchema, REPORT_SCHEMA } from './schema.ts'
import { SWEEP_SCHEMA, type SweepReport, sweepSchema } from './sweep-schema.ts'

const MAKE_ONE = "Write one with 'kt bench --output report.json'."

export function readReport(path: string): BenchReport {
  const value = parse(readText(path, 'report'), path)
  const schema = schemaOf(value)
  if (schema !== REPORT_SCHEMA) throw otherSchema(path, value, schema)
  return benchReport(value, path)
}

/** Either of a run or of a sweep. */
export function readMeasurement(path: string): BenchReport | SweepReport {
  const value = parse(readText(path, 'report'), path)
  const schema = schemaOf(value)
  if (schema === SWEEP_SCHEMA) return parseWith(value, sweepSchema, path, 'report')
  if (schema !== REPORT_SCHEMA) throw otherSchema(path, value, schema)
  return benchReport(value, path)
}

function benchReport(value: unknown, path: string): BenchReport {
  const report = parseWith(value, benchReportSchema, path, 'report')
  const contradiction = contradictionIn(report)
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
    // Cut off: what broke the parser is the end of the text, not something in it.
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
  if (typeof value !== 'object' || value === null || !('schema' in value)) return undefined
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

/** What other tools leave behind, by name where it is known. */
function foreign(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'JSON of another kind'
  if ('metrics' in value && typeof value.metrics === 'object' && value.metrics !== null) {
    if ('http_req_duration' in value.metrics) return 'a k6 summary'
  }
  return 'JSON of another kind'
}
