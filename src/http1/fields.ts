/**
 * Header fields and trailers of an answer, from their lines to a record. What llhttp refuses is refused here too: bare
 * line feeds, folded lines, blanks around a name, control characters. Whoever reads them otherwise than the server (or
 * a proxy between) meant them would read the next answer from the wrong place.
 */
import { BadAnswer } from './faults.ts'

export interface Field {
  /** As it came. */
  name: string
  /** The name in lower case. */
  key: string
  value: string
}

export type ResponseHeaders = Record<string, string | string[] | undefined>

const NAME = /^[!#$%&'*+.^_`|~\w-]+$/
const TAB = 0x09
const DELETE = 0x7f

export function isHeaderName(name: string): boolean {
  return NAME.test(name)
}

/** Reads `name: value`. */
export function readField(line: string): Field | BadAnswer {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon)
  if (colon < 1 || !isHeaderName(name)) return new BadAnswer('a line of its head is no header')
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
  return isText(value) ? { name, key: name.toLowerCase(), value } : new BadAnswer(`control characters in '${name}'`)
}

/** Without control characters. Bytes above ASCII stand for themselves. */
export function isText(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if ((code < 0x20 && code !== TAB) || code === DELETE) return false
  }
  return true
}

/** An empty record that inherits nothing: `constructor` and `__proto__` are headers like others. */
function Empty(): void {}
Empty.prototype = Object.create(null)
const EmptyHeaders = Empty as unknown as new () => ResponseHeaders

export const NO_FIELDS: readonly Field[] = []

const NONE: ResponseHeaders = new EmptyHeaders()

/** A field that comes several times is a list. */
export function toRecord(fields: readonly Field[]): ResponseHeaders {
  if (fields.length === 0) return NONE
  const record = new EmptyHeaders()
  for (const { key, value } of fields) {
    const known = record[key]
    if (known === undefined) record[key] = value
    else if (Array.isArray(known)) known.push(value)
    else record[key] = [known, value]
  }
  return record
}

export function readFields(lines: readonly string[]): readonly Field[] | BadAnswer {
  const fields: Field[] = []
  for (const line of lines) {
    const field = readField(line)
    if (field instanceof Error) return field
    fields.push(field)
  }
  return fields
}
