/**
 * How many columns of a terminal a text takes, and texts broken to so many. What kt itself writes takes a column for
 * each character; string-width, which knows all of Unicode, takes many times as long, which requests would feel that are
 * measured beside a live view. To load it takes longer than most commands do, so it comes with the first text that
 * needs it.
 */
import { createRequire } from 'node:module'
import { stripVTControlCharacters } from 'node:util'

const require = createRequire(import.meta.url)

/** ASCII, Latin letters, dashes, and the lines and blocks that plots are drawn with. */
const NARROW = /^[\u0020-\u007E\u00A0-\u00AC\u00AE-\u02FF\u2010-\u2027\u2500-\u259F]*$/

export function textWidth(text: string): number {
  const plain = text.includes('\u001B') ? stripVTControlCharacters(text) : text
  if (NARROW.test(plain)) return plain.length
  const { default: stringWidth }: typeof import('string-width') = require('string-width')
  return stringWidth(text)
}

/** The lines of a text that is broken to a width, also within words that are longer. */
export function breakText(text: string, width: number, how: { wordWrap?: boolean; trim?: boolean } = {}): string[] {
  const { default: wrapAnsi }: typeof import('wrap-ansi') = require('wrap-ansi')
  return wrapAnsi(text, width, { ...how, hard: true }).split('\n')
}
