import fc from 'fast-check'
import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { textWidth } from '../../src/system/text-width.ts'

test('every character alone, in colour and not, is as wide as string-width says', () => {
  for (let code = 0x20; code < 0x3100; code++) {
    const character = String.fromCharCode(code)
    for (const text of [character, `\u001B[36m${character}\u001B[39m`]) {
      expect([code, textWidth(text)]).toEqual([code, stringWidth(text)])
    }
  }
})

test('and every text', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => textWidth(text) === stringWidth(text)))
})
