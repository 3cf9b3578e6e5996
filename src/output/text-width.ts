/**
 * How many columns of a terminal a text takes. What kt itself writes takes one for each character; string-width, which
 * knows all of Unicode, takes many times as long, which requests would feel that are measured beside a live view.
 */
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'

/** ASCII, Latin letters, dashes, and the lines and blocks that plots are drawn with. */
const NARROW = /^[\u0020-\u007E\u00A0-\u00AC\u00AE-\u02FF\u2010-\u2027\u2500-\u259F]*$/

export function textWidth(text: string): number {
  const plain = text.includes('\u001B') ? stripVTControlCharacters(text) : text
  return NARROW.test(plain) ? plain.length : stringWidth(text)
}
