// What others wrote, as it may be shown.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, printableJson, printableLines, printableValues } from '../../src/system/printable.ts'

/** Whatever must reach no terminal, log, metric or page raw. */
const STEERING = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
const anything = fc.string({ unit: 'binary', maxLength: 40 })

describe('a value', () => {
  it.each([
    ['a\u001b[2Jb\u0007', 'a\\x1b[2Jb\\x07'],
    ['one\r\ntwo\tthree', 'one\\r\\ntwo\\tthree'],
    ['del\u007f c1\u009b', 'del\\x7f c1\\x9b'],
    ['\u202eevil\u2066 \u2028', '\\u202eevil\\u2066 \\u2028'],
    ['half \ud83d', 'half \\ud83d'],
    ['Grüße, 你好 👩‍💻', 'Grüße, 你好 👩‍💻'],
  ])('%j is %s', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('steers nothing, whatever it holds', () => {
    fc.assert(fc.property(anything, (text) => !STEERING.test(printable(text))))
  })
})

describe('lines', () => {
  it('stay lines, and are no workflow command of somebody else', () => {
    expect(printableLines('a\r\n  ::error::forged\n##[error]forged\nb::c\n')).toBe(
      'a\\r\n  \\::error::forged\n\\##[error]forged\nb::c\n',
    )
  })

  it("keep kt's own colours and no other sequence", () => {
    expect(printableLines('\u001b[1;31mred\u001b[0m \u001b[2J', true)).toBe('\u001b[1;31mred\u001b[0m \\x1b[2J')
    expect(printableLines('\u001b[1;31mred')).toBe('\\x1b[1;31mred')
  })
})

describe('JSON', () => {
  it('is the same value, and steers nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(anything, anything), (value) => {
        const text = printableJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        return !STEERING.test(text)
      }),
    )
  })
})

describe('a result', () => {
  it('has every text on one line, and keeps the rest', () => {
    const histogram = new Map([['a', 1]])
    const sound = { name: 'm', items: [1, 'two'], histogram }
    expect(printableValues(sound)).toBe(sound)
    expect(printableValues({ ...sound, deep: { 'k\n': ['a\nb', null] } })).toEqual({
      ...sound,
      deep: { 'k\\n': ['a\\nb', null] },
    })
  })
})
