/**
 * Reads a file that a user names: YAML (of which JSON is a part) parsed by a zod schema. What cannot be read, parsed or
 * accepted becomes one UserError that names the file and the place in it.
 */
import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import type { z } from 'zod'
import { UserError } from '../errors.ts'
import { explainZodError } from './explain.ts'

/** Parses the YAML file at `path` with `schema`. `what` names its kind in messages ('gateway config'). */
export function readYaml<T extends z.ZodType>(path: string, schema: T, what: string): z.output<T> {
  const document = parseDocument(readText(path, what))
  const [syntax] = document.errors
  if (syntax)
    throw new UserError(
      `${path}: not valid YAML: ${syntax.message.split('\n')[0]}`,
      `Correct the ${what} and run again.`,
    )
  return parseWith(document.toJS(), schema, path, what)
}

/** Accepts `value` or throws a UserError that lists every refused place. */
export function parseWith<T extends z.ZodType>(value: unknown, schema: T, source: string, what: string): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const lines = explainZodError(parsed.error, schema)
  const shown = lines.slice(0, 8).map((line) => `  ${line}`)
  if (lines.length > shown.length) shown.push(`  … and ${lines.length - shown.length} more`)
  throw new UserError(
    `${source}: not a usable ${what}:\n${shown.join('\n')}`,
    `Correct ${lines.length === 1 ? 'it' : 'them'} and run again.`,
  )
}

export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UserError(
      `cannot read the ${what} ${path}: ${systemReason(error)}`,
      'Check the path and its permissions.',
    )
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left',
  EDQUOT: 'the quota is used up',
  EFBIG: 'larger than a file may be',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links run in a circle',
  EBADF: 'it is not open for writing',
  EEXIST: 'something of that name is in its place',
  EBUSY: 'it is in use',
  EPIPE: 'its reader is gone',
  ENXIO: 'no device is behind it',
  ECONNREFUSED: 'nobody listens there',
}

/** The system's reason in words: ENOENT -> 'no such file or folder'. */
export function systemReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (code || String(error))
}
