/**
 * What others wrote (targets, files, names, the command line) as it may be shown: whatever could steer a terminal,
 * forge a line of a log or reverse how a line reads is written out. Every medium has one place that calls this: the
 * base class of the commands and `writeNote` for terminals and logs, `src/output/` for Markdown, JUnit and annotations,
 * and the writers of the gateway's metrics, events and admin port.
 */

import { forStream } from './terminal.ts'

/**
 * Control characters, separators of lines, half characters, marks that turn the direction of writing, and the two
 * characters that XML forbids.
 */
const STEERING = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu
const STEERING_IN_LINES = new RegExp(`(?!\\n)${STEERING.source}`, 'gu')
/** The same, but for the colours that kt's own tables have. */
const STEERING_IN_COLOURS = new RegExp(`(?!\\u001b\\[\\d+(?:;\\d+)*m)${STEERING_IN_LINES.source}`, 'gu')
/** A runner of GitHub takes a line that begins so for a command. */
const COMMAND = /^(\s*)(?=::|##\[)/gm

const NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function writtenOut(character: string): string {
  const code = character.charCodeAt(0)
  const short = NAMES[character]
  if (short !== undefined) return short
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : unicode(character)
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** One value, on one line. */
export function printable(text: string): string {
  return text.replaceAll(STEERING, writtenOut)
}

/** A text of lines that kt composed; `colored` where it has colours. */
export function printableLines(text: string, colored = false): string {
  return text.replaceAll(colored ? STEERING_IN_COLOURS : STEERING_IN_LINES, writtenOut).replaceAll(COMMAND, '$1\\')
}

/** The same value as JSON: JSON itself writes out only the lowest of these characters. */
export function printableJson(value: unknown, space?: number): string {
  return JSON.stringify(value, null, space).replaceAll(STEERING_IN_LINES, unicode)
}

/** A result with every text in it on one line; what needs no change is not copied. */
export function printableValues<T>(value: T): T
export function printableValues(value: unknown): unknown {
  if (typeof value === 'string') return printable(value)
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => printableValues(item))
    return items.some((item, i) => item !== value[i]) ? items : value
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  const entries = Object.entries(value).map(
    ([key, item]) => [key, item, printable(key), printableValues(item)] as const,
  )
  if (entries.every(([key, item, name, shown]) => key === name && item === shown)) return value
  return Object.fromEntries(entries.map(([, , name, shown]) => [name, shown]))
}

/** Writes a line for a person to stderr. */
export function writeNote(line: string): void {
  process.stderr.write(`${forStream(printableLines(printable(line)), process.stderr)}\n`)
}
