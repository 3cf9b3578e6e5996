/** Converts the content of a JSON string, between its quotes, from bytes to UTF-16 units, without making a string. */
import type { TextBuffer } from '../pattern/text-buffer.ts'

const BACKSLASH = 0x5c
const REPLACEMENT = 0xfffd
const ESCAPES: Record<number, number> = { 110: 10, 116: 9, 114: 13, 98: 8, 102: 12 }

/** Appends the text that the bytes hold to `text`. */
export function appendJsonString(text: TextBuffer, bytes: Uint8Array, from: number, to: number): void {
  // There are at most as many units as bytes.
  text.reserve(to - from)
  const { units } = text
  let write = text.end - text.base
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 0x80 && byte !== BACKSLASH) {
      units[write++] = byte
    } else if (byte === BACKSLASH) {
      const kind = bytes[++at] ?? 0
      if (kind === 0x75) {
        const unit = Number.parseInt(String.fromCharCode(...bytes.subarray(at + 1, at + 5)), 16)
        units[write++] = Number.isNaN(unit) ? REPLACEMENT : unit
        at += 4
        text.odd = true
      } else {
        units[write++] = ESCAPES[kind] ?? kind
        text.odd ||= kind === BACKSLASH
      }
    } else {
      text.odd = true
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      let rune = byte & (0xff >> (size + 1))
      for (let i = 1; i < size; i++) rune = (rune << 6) | ((bytes[at + i] ?? 0) & 0x3f)
      at += size - 1
      if (rune > 0xffff) {
        units[write++] = 0xd800 + ((rune - 0x10000) >> 10)
        units[write++] = 0xdc00 + ((rune - 0x10000) & 0x3ff)
      } else units[write++] = rune
    }
  }
  text.end = text.base + write
}
