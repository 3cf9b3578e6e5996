/**
 * Reads a file that a user names: YAML (of which JSON is a part) parsed by a zod schema. What cannot be read, parsed or
 * accepted becomes one UserError that names the file and the place in it.
 */
import { readFileSync } from 'node:fs'
import { type ErrorCode, parseDocument, type YAMLParseError } from 'yaml'
import type { z } from 'zod'
import { UserError } from '../errors.ts'
import { explainZodError } from './explain.ts'
import { systemReason } from './system-reason.ts'

/** Parses the YAML file at `path` with `schema`. `what` names its kind in messages ('gateway config'). */
export function readYaml<T extends z.ZodType>(path: string, schema: T, what: string): z.output<T> {
  const text = readText(path, what)
  const document = parseDocument(text)
  const [syntax] = document.errors
  if (syntax) throw notYaml(path, text, syntax, what)
  return parseWith(document.toJS(), schema, path, what)
}

/** The place of the fault, the line that stands there, and what is likely wrong with it. */
function notYaml(path: string, text: string, { code, linePos, message }: YAMLParseError, what: string): UserError {
  const [place = { line: 1, col: 1 }] = linePos ?? []
  const line = text.split('\n')[place.line - 1]?.trim() ?? ''
  const why = YAML_FAULTS[code] ?? message.split(' at line ')[0] ?? message
  return new UserError(
    `${path}, line ${place.line}, column ${place.col}: not valid YAML: ${why}${line ? `\n  ${line}` : ''}`,
    `Correct the ${what} and run again.`,
  )
}

const YAML_FAULTS: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: 'this line is not indented as its list or map needs',
  BLOCK_AS_IMPLICIT_KEY: 'a value begins where a key ends: is a quote or a line break missing?',
  BLOCK_IN_FLOW: 'within [ ] and { } values stand on the line, separated by commas',
  BAD_SCALAR_START: 'a value that begins with this character needs quotes',
  BAD_DQ_ESCAPE: "a backslash within double quotes is an escape: use single quotes, or '\\\\'",
  DUPLICATE_KEY: 'this key stands there twice',
  MISSING_CHAR: 'something is not closed or separated: a quote, a bracket, a comma, or the blank after a colon',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines: is a colon missing?',
  MULTIPLE_DOCS: 'it holds several documents (---), and one is wanted',
  TAB_AS_INDENT: 'a tab indents the line: use blanks',
  UNEXPECTED_TOKEN: 'this does not belong here',
}

/** Accepts `value` or throws a UserError that lists every refused place. */
export function parseWith<T extends z.ZodType>(value: unknown, schema: T, source: string, what: string): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  if (value === null || value === undefined) {
    throw new UserError(
      `${source}: not a usable ${what}: the file holds nothing`,
      'Write one into it, or name another file.',
    )
  }
  const lines = explainZodError(parsed.error, schema)
  const shown = lines.slice(0, 8).map((line) => `  ${line}`)
  if (lines.length > shown.length) shown.push(`  … and ${lines.length - shown.length} more`)
  throw new UserError(
    `${source}: not a usable ${what}:\n${shown.join('\n')}`,
    `Correct ${lines.length === 1 ? 'it' : 'them'} and run again.`,
  )
}

/** What came on stdin, which can be read only once. */
let stdin: string | undefined

/** `-` is stdin. */
export function readText(path: string, what: string): string {
  try {
    if (path !== '-') return readFileSync(path, 'utf8')
    stdin ??= readFileSync(0, 'utf8')
    return stdin
  } catch (error) {
    throw new UserError(
      `cannot read the ${what} ${path}: ${systemReason(error)}`,
      'Check the path and its permissions.',
    )
  }
}
