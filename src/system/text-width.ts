/**
 * How many columns of a terminal a text takes, and texts broken to so many. What kt itself writes takes a column for
 * each character; string-width, which knows all of Unicode, takes many times as long, which requests would feel that
 * are measured beside a live view. To load it takes longer than most commands do, so it comes with the first text that
 * needs it, or before what may take little time.
 */
import { createRequire } from 'node:module'
import { stripVTControlCharacters } from 'node:util'

const require = createRequire(import.meta.url)

/** ASCII, Latin letters, dashes, and the lines and blocks that plots are drawn with. */
const NARROW = /^[\u0020-\u007E\u00A0-\u00AC\u00AE-\u02FF\u2010-\u2027\u2500-\u259F]*$/

export function textWidth(text: string): number {
  const plain = text.includes('\u001B') ? stripVTControlCharacters(text) : text
  if (NARROW.test(plain)) return plain.length
  return loadStringWidth()(text)
}

/** The lines of a text that is broken to a width, also within words that are longer. */
export function breakText(text: string, width: number, how: { wordWrap?: boolean; trim?: boolean } = {}): string[] {
  return loadWrapAnsi()(text, width, { ...how, hard: true }).split('\n')
}

/** Loads now what any text may need. */
export function loadForText(): void {
  loadStringWidth()
  loadWrapAnsi()
}

function loadStringWidth(): typeof import('string-width').default {
  return require('string-width').default
}

function loadWrapAnsi(): typeof import('wrap-ansi').default {
  return require('wrap-ansi').default
}
