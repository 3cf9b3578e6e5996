/** Cuts a dataset into its rows as text: the lines of JSON Lines and of plain text, the elements of a JSON array. */
import { isUtf8 } from 'node:buffer'
import { UserError } from '../../errors.ts'
import type { DatasetSource } from './source.ts'

export interface Piece {
  text: string
  /** Where it begins in the file, from 1. */
  line: number
  column: number
}

const [TAB, NEWLINE, RETURN, BLANK, QUOTE, COMMA, BACKSLASH] = [9, 10, 13, 32, 34, 44, 92]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125]
const NOTHING: Buffer = Buffer.alloc(0)
/** A text in Node can hold no more. */
const LONGEST = 256 * 1024 * 1024

/** Every line, without its end. */
export function* linesOf(source: DatasetSource): Generator<Piece> {
  let rest = NOTHING
  let line = 1
  for (const piece of source.pieces()) {
    let from = 0
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, from)) {
      const end = piece.subarray(from, at)
      yield { text: decode(rest.length > 0 ? Buffer.concat([rest, end]) : end, source.path, line), line, column: 1 }
      rest = NOTHING
      line++
      from = at + 1
    }
    rest = keep(rest, piece.subarray(from), source.path, line)
  }
  if (rest.length > 0) yield { text: decode(rest, source.path, line), line, column: 1 }
}

/** The elements of the array that the file is. */
export function* elementsOf(source: DatasetSource): Generator<Piece> {
  const cutter = new ElementCutter(source.path)
  for (const piece of source.pieces()) yield* cutter.push(piece)
  cutter.end()
}

/** Knows of JSON only where an element ends; what is within is for a parser. */
class ElementCutter {
  readonly #path: string
  /** Open brackets: 0 before and after the array, 1 between its elements. */
  #depth = 0
  #inString = false
  #escaped = false
  #done = false
  #wantsElement = false
  #rest = NOTHING
  #begins: { line: number; column: number } | undefined
  #line = 1
  /** Bytes of this line before the piece. */
  #before = 0

  constructor(path: string) {
    this.#path = path
  }

  *push(piece: Buffer): Generator<Piece> {
    let from = 0
    let lineStart = -this.#before
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]
      if (byte === NEWLINE) {
        this.#line++
        lineStart = at + 1
      }
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false
        else if (byte === BACKSLASH) this.#escaped = true
        else if (byte === QUOTE) this.#inString = false
        continue
      }
      if (byte === BLANK || byte === NEWLINE || byte === RETURN || byte === TAB) continue
      const column = at - lineStart + 1
      if (this.#depth === 0) {
        if (this.#done) throw this.#wrong(column, 'the list has ended, and more follows')
        this.#depth = 1
        continue
      }
      if (this.#depth === 1 && (byte === COMMA || byte === CLOSE_LIST)) {
        const begins = this.#begins
        if (begins) yield { ...begins, text: this.#take(piece.subarray(from, at), begins.line) }
        else if (byte === COMMA || this.#wantsElement) throw this.#wrong(column, 'a row is missing here')
        this.#wantsElement = byte === COMMA
        if (byte === CLOSE_LIST) {
          this.#depth = 0
          this.#done = true
        }
        continue
      }
      if (!this.#begins) {
        this.#begins = { line: this.#line, column }
        from = at
      }
      if (byte === QUOTE) this.#inString = true
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#depth++
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#depth--
    }
    this.#before = piece.length - lineStart
    if (this.#begins) this.#rest = keep(this.#rest, piece.subarray(from), this.#path, this.#begins.line)
  }

  end(): void {
    if (this.#done) return
    throw this.#wrong(
      this.#before + 1,
      `the file ends within ${this.#begins ? 'this row' : 'the list'}: is it cut off?`,
    )
  }

  #take(end: Buffer, line: number): string {
    const text = decode(this.#rest.length > 0 ? Buffer.concat([this.#rest, end]) : end, this.#path, line)
    this.#rest = NOTHING
    this.#begins = undefined
    return text
  }

  #wrong(column: number, why: string): UserError {
    const { line, column: at } = this.#begins ?? { line: this.#line, column }
    return new UserError(`${this.#path}:${line}:${at}: not JSON: ${why}`, 'Correct it and run again.')
  }
}

function keep(rest: Buffer, more: Buffer, path: string, line: number): Buffer {
  if (rest.length + more.length <= LONGEST) return Buffer.concat([rest, more])
  throw new UserError(`${path}:${line}: a row is larger than 256 MiB`, 'Is it one row a line, or a JSON array of rows?')
}

function decode(bytes: Buffer, path: string, line: number): string {
  if (!isUtf8(bytes)) {
    throw new UserError(`${path}:${line}: not UTF-8 text`, 'Save the file as UTF-8, without compression.')
  }
  const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length
  return bytes.toString('utf8', 0, end)
}
