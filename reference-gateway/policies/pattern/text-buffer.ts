/**
 * The part of a growing text that is still needed, as UTF-16 units under their absolute positions. Text that nobody
 * needs any more is dropped from the front.
 */

/** Units below this are ASCII. */
export const ASCII = 0x80

export function isLetterOrDigit(unit: number): boolean {
  const letter = unit | 0x20
  return (unit >= 0x30 && unit <= 0x39) || (letter >= 0x61 && letter <= 0x7a)
}

export class TextBuffer {
  units: Uint16Array
  /** The position of units[0]. */
  base = 0
  /** The position after the last unit. */
  end = 0
  /** It holds, or held, something that may look otherwise than it is written: see folded-text.ts. */
  odd = false
  /** Up to here folded-text.ts has looked in vain. */
  checked = 0

  constructor(capacity = 256) {
    this.units = new Uint16Array(capacity)
  }

  static of(text: string): TextBuffer {
    const buffer = new TextBuffer(Math.max(1, text.length))
    buffer.append(text)
    return buffer
  }

  append(text: string): void {
    this.reserve(text.length)
    const { units } = this
    const at = this.end - this.base
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      units[at + i] = unit
      if (unit > 0x7f || unit === 0x5c) this.odd = true
    }
    this.end += text.length
  }

  appendUnit(unit: number): void {
    this.reserve(1)
    this.units[this.end++ - this.base] = unit
    if (unit > 0x7f || unit === 0x5c) this.odd = true
  }

  /** Appends a part of another buffer. */
  appendFrom(other: TextBuffer, from: number, to: number): void {
    this.reserve(to - from)
    this.units.set(other.units.subarray(from - other.base, to - other.base), this.end - this.base)
    this.odd ||= other.odd
    this.end += to - from
  }

  /** Makes room for `count` more units, which the caller may then write behind `end`. */
  reserve(count: number): void {
    const size = this.end - this.base + count
    if (size <= this.units.length) return
    const grown = new Uint16Array(Math.max(size, this.units.length * 2))
    grown.set(this.units.subarray(0, this.end - this.base))
    this.units = grown
  }

  /** Forgets what lies before `position`. */
  drop(position: number): void {
    const gone = position - this.base
    // Moving the rest costs time, so it is moved only where it is short.
    if (gone <= 0 || gone * 2 < this.end - this.base) return
    this.units.copyWithin(0, gone, this.end - this.base)
    this.base = position
  }

  slice(from: number, to: number): string {
    const { units, base } = this
    let text = ''
    for (let at = from; at < to; at += 4096) {
      text += String.fromCharCode(...units.subarray(at - base, Math.min(to, at + 4096) - base))
    }
    return text
  }
}
