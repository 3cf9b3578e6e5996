/**
 * A text as its reader sees it: without characters that have no width, with one form for characters that look alike to
 * Unicode (NFKC: full width, ligatures, styled letters), with one space, one dash and ASCII digits, and with the
 * escapes of JSON undone, because tool arguments are JSON inside a text. It is searched beside the text itself;
 * positions lead back. A letter and its mark that are written apart stay apart.
 */
import { TextBuffer } from './text-buffer.ts'

const BACKSLASH = 0x5c
/** Escapes that may stand for a part of a word or between two. */
const ESCAPES: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, '/': 47 }
const ESCAPE_LENGTH = 6

/** By UTF-16 unit: 1 where it may be folded. Half a character may be. */
let foldable: Uint8Array | undefined

/** The text of each buffer in which something can be folded. */
const views = new WeakMap<TextBuffer, FoldedText>()

/** What `text` looks like so far; undefined while nothing in it is written otherwise than it looks. */
export function foldedOf(text: TextBuffer, complete: boolean): FoldedText | undefined {
  if (!text.odd) return undefined
  const known = views.get(text)
  if (!known && !hasFoldable(text)) return undefined
  const view = known ?? new FoldedText(text.base)
  if (!known) views.set(text, view)
  view.read(text, complete)
  return view
}

export class FoldedText {
  readonly text = new TextBuffer()
  /** How much of the source was read. What follows is an escape, or a character, that is not complete. */
  readUpTo: number
  /** Where each unit begins and ends in the source. */
  readonly #starts: number[] = []
  readonly #stops: number[] = []

  constructor(start: number) {
    this.text.base = start
    this.text.end = start
    this.readUpTo = start
  }

  /** The source's position of the unit at `position`. */
  startOf(position: number): number {
    return this.#starts[position - this.text.base] ?? this.readUpTo
  }

  /** Where what ends at `position` ends in the source. */
  endOf(position: number): number {
    return this.#stops[position - 1 - this.text.base] ?? this.readUpTo
  }

  read(source: TextBuffer, complete: boolean): void {
    this.#drop(source.base)
    const { units, base, end } = source
    while (this.readUpTo < end) {
      const at = this.readUpTo
      const unit = units[at - base] ?? 0
      if (unit === BACKSLASH) {
        const length = this.#escape(source, at, complete)
        if (length === 0) return
        this.readUpTo = at + length
        continue
      }
      const isHigh = (unit & 0xfc00) === 0xd800
      if (isHigh && at + 1 === end && !complete) return
      const low = isHigh && at + 1 < end ? (units[at + 1 - base] ?? 0) : 0
      const next = (low & 0xfc00) === 0xdc00 ? at + 2 : at + 1
      if (next === at + 2) this.#put(fold(String.fromCharCode(unit, low)), at, next)
      else if (table()[unit] === 0) this.#put(unit, at, next)
      else this.#put(fold(String.fromCharCode(unit)), at, next)
      this.readUpTo = next
    }
  }

  /** Reads what the backslash at `at` begins. Returns its length; 0 where the rest has not come yet. */
  #escape(source: TextBuffer, at: number, complete: boolean): number {
    const rest = source.slice(at, Math.min(source.end, at + ESCAPE_LENGTH))
    const hex = /^\\u([0-9a-fA-F]{4})/.exec(rest)?.[1]
    if (hex !== undefined) {
      this.#put(fold(String.fromCharCode(Number.parseInt(hex, 16))), at, at + ESCAPE_LENGTH)
      return ESCAPE_LENGTH
    }
    if (rest.charCodeAt(1) === BACKSLASH) {
      this.#put(BACKSLASH, at, at + 1)
      this.#put(BACKSLASH, at + 1, at + 2)
      return 2
    }
    if (!complete && rest.length < ESCAPE_LENGTH && /^\\(?:u[0-9a-fA-F]{0,3})?$/.test(rest)) return 0
    const meant = ESCAPES[rest.charAt(1)]
    this.#put(meant ?? BACKSLASH, at, meant === undefined ? at + 1 : at + 2)
    return meant === undefined ? 1 : 2
  }

  #put(what: string | number, start: number, stop: number): void {
    if (typeof what === 'number') this.text.appendUnit(what)
    else this.text.append(what)
    while (this.#starts.length < this.text.end - this.text.base) {
      this.#starts.push(start)
      this.#stops.push(stop)
    }
  }

  /** Forgets what lies before `position` of the source. */
  #drop(position: number): void {
    if ((this.#starts[0] ?? position) >= position) return
    const before = this.text.base
    const gone = this.#starts.findIndex((start) => start >= position)
    this.text.drop(gone < 0 ? this.text.end : before + gone)
    const dropped = this.text.base - before
    this.#starts.splice(0, dropped)
    this.#stops.splice(0, dropped)
  }
}

function hasFoldable(text: TextBuffer): boolean {
  const may = table()
  const { units, base, end } = text
  for (let at = text.checked; at < end; at++) {
    const unit = units[at - base] ?? 0
    if (may[unit] === 0) continue
    if ((unit & 0xfc00) !== 0xd800) return true
    const pair = String.fromCharCode(unit, units[at + 1 - base] ?? 0)
    if (at + 1 === end || fold(pair) !== pair) return true
    at++
  }
  text.checked = end
  return false
}

function table(): Uint8Array {
  foldable ??= Uint8Array.from({ length: 0x10000 }, (_, unit) => {
    if (unit === BACKSLASH || (unit & 0xf800) === 0xd800) return 1
    const character = String.fromCharCode(unit)
    return unit > 0x7f && fold(character) !== character ? 1 : 0
  })
  return foldable
}

/** One character as its reader sees it. */
function fold(character: string): string {
  if (/^[\0-\x7f]$/.test(character)) return character
  if (/^\p{Default_Ignorable_Code_Point}/u.test(character)) return ''
  if (/^\p{Pd}|^\u2212/u.test(character)) return '-'
  if (/^\p{Zs}/u.test(character)) return ' '
  if (/^[\u2028\u2029]/.test(character)) return '\n'
  const same = character.normalize('NFKC')
  return /^\p{Nd}$/u.test(same) ? String(digit(same)) : same
}

/** Decimal digits of every script stand in tens, from zero on. */
function digit(character: string): number {
  const rune = character.codePointAt(0) ?? 0
  let value = 0
  while (value < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(rune - value - 1))) value++
  return value
}
