// How wide a stream is, whether it can be redrawn, and lines broken to a width.
import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { canRedraw, forStream, hang, widthOf } from '../../src/system/terminal.ts'

describe('the width of a stream', () => {
  it.each([
    [{ isTTY: true, columns: 120 }, 120],
    [{ isTTY: true, columns: 40 }, 60],
    [{ isTTY: true, columns: 400 }, 200],
    [{ isTTY: true, columns: 0 }, 80],
    [{ isTTY: false, columns: 120 }, 80],
  ])('%j is %i', (stream, width) => {
    expect(widthOf(stream)).toBe(width)
  })

  it('is redrawn on a terminal alone, and not in CI or on a dumb one', () => {
    const tty = { isTTY: true, columns: 80 }
    expect(canRedraw(tty, {})).toBe(true)
    expect(canRedraw(tty, { CI: 'false' })).toBe(true)
    expect(canRedraw(tty, { CI: 'true' })).toBe(false)
    expect(canRedraw(tty, { TERM: 'dumb' })).toBe(false)
    expect(canRedraw({ isTTY: false, columns: 80 }, {})).toBe(false)
  })
})

describe('a text behind a label', () => {
  it('fits its width whatever is in it, and loses nothing but spaces', () => {
    const words = fc.array(fc.oneof(fc.string(), fc.constantFrom('東京都', '\u001b[31mred\u001b[39m', 'x'.repeat(90))))
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 200 }), (parts, width) => {
        const text = parts
          .map((part) => part.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, (c) => (c === '\u001b' ? c : ' ')))
          .join(' ')
        const lines = hang('FAIL  ', text, width)
        expect(lines.filter((line) => stringWidth(line) > width)).toEqual([])
        expect(lines[0]?.startsWith('FAIL  ')).toBe(true)
        expect(lines.slice(1).every((line) => line.startsWith('      '))).toBe(true)
      }),
    )
    const broken = hang('- ', 'one two three', 9)
    expect(broken).toEqual(['- one two', '  three'])
  })

  it('stays whole in a pipe, and keeps its indent on a terminal', () => {
    const line = `    ${'word '.repeat(30)}`
    expect(forStream(line, { isTTY: false, columns: 80 })).toBe(line)
    const shown = forStream(line, { isTTY: true, columns: 70 }).split('\n')
    expect(shown.length).toBeGreaterThan(2)
    expect(shown.every((part) => part.startsWith('    word') && part.length <= 70)).toBe(true)
  })
})
