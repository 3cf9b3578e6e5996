/** Rows of a JSON trace: an object a line, or one document over several lines (an object, or an array of them). */
import { UserError } from '../../errors.ts'
import { JSON_FORMATS, type JsonFormat } from './formats.ts'
import { LONGEST_LINE } from './lines.ts'
import { isObject, type JsonObject } from './members.ts'
import { type RowSink, traceFault } from './row.ts'

export class JsonRows {
  format: JsonFormat | undefined
  readonly #path: string
  readonly #sink: RowSink
  /** The lines of a document that is not over yet. */
  #document: string[] | undefined
  #documentChars = 0

  constructor(path: string, asked: JsonFormat | undefined, sink: RowSink) {
    this.#path = path
    this.format = asked
    this.#sink = sink
  }

  /** Whether it is one document, whose rows all come at its end. */
  get document(): boolean {
    return this.#document !== undefined
  }

  line(bytes: Buffer, from: number, to: number, line: number): void {
    const text = bytes.toString('utf8', from, to)
    if (this.#document) {
      this.#keep(text, line)
      return
    }
    const parsed = tryParse(text)
    if (parsed.ok) this.#values(parsed.value, line)
    else if (this.format === undefined || line === 1) this.#keep(text, line)
    else throw traceFault(this.#path, line, notJson(parsed.error), placeOf(parsed.error))
  }

  end(): void {
    if (!this.#document) return
    const parsed = tryParse(this.#document.join('\n'))
    if (!parsed.ok) throw traceFault(this.#path, lineOf(parsed.error), notJson(parsed.error), placeOf(parsed.error))
    this.#values(parsed.value, 1)
  }

  /** A document is parsed as a whole, so it may not be large. */
  #keep(text: string, line: number): void {
    this.#document ??= []
    this.#document.push(text)
    this.#documentChars += text.length
    if (this.#documentChars <= LONGEST_LINE) return
    throw traceFault(this.#path, line, 'a JSON document of more than 64 MiB: write an object a line (JSON Lines)')
  }

  #values(value: unknown, line: number): void {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (!isObject(each)) throw traceFault(this.#path, line, 'not a JSON object')
      this.format ??= knownFormat(each, this.#path, line)
      this.format.read(each, this.#path, line, this.#sink)
    }
  }
}

type Parsed = { ok: true; value: unknown } | { ok: false; error: SyntaxError }

function tryParse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, error }
    throw error
  }
}

function notJson({ message }: SyntaxError): string {
  return `not a JSON object: it ${/end of JSON|Unterminated/.test(message) ? 'is cut off' : 'does not parse'}`
}

/** V8 says '(line 1 column 14)'. */
function placeOf({ message }: SyntaxError): string | undefined {
  return /column (\d+)/.exec(message)?.[1]
}

function lineOf({ message }: SyntaxError): number {
  return Number(/line (\d+)/.exec(message)?.[1] ?? 1)
}

function knownFormat(object: JsonObject, path: string, line: number): JsonFormat {
  const format = JSON_FORMATS.find(({ matches }) => matches(object))
  if (format) return format
  const names = Object.keys(object).slice(0, 6)
  throw new UserError(
    `${path}, line ${line}: not the members of a known trace: ${names.join(', ')}`,
    `Known are ${[...new Set(JSON_FORMATS.map(({ name }) => name))].join(', ')}. ` +
      'Others are named by --trace-columns at=...,input=...,output=...',
  )
}
