import fc from 'fast-check'
import { countTokens as cl100k } from 'gpt-tokenizer/encoding/cl100k_base'
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, test } from 'vitest'
import { makeFiller, WORDS } from '../../src/workload/filler.ts'

const filler = makeFiller(7)

test('every word with its space is one token, in both vocabularies', () => {
  expect(WORDS).toHaveLength(256)
  expect(new Set(WORDS).size).toBe(256)
  const wrong = WORDS.filter((word) => !/^[a-z]+$/.test(word) || o200k(` ${word}`) !== 1 || cl100k(` ${word}`) !== 1)
  expect(wrong).toEqual([])
})

test('a text has exactly the tokens asked for, wherever it begins', () => {
  const places = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_000 }), places, (tokens, place) => {
      const text = filler.text(tokens, place)
      expect(o200k(text)).toBe(tokens)
      expect(cl100k(text)).toBe(tokens)
    }),
    { numRuns: 50 },
  )
})

test('also past the end of the words laid out, and round them', () => {
  expect(o200k(filler.text(500, 0.999999))).toBe(500)
  expect(o200k(filler.text(200_000, 0.3))).toBe(200_000)
})

test('about as many bytes a token as real prompts have', () => {
  const bytes = filler.text(60_000, 0).length / 60_000
  expect(bytes).toBeGreaterThan(4)
  expect(bytes).toBeLessThan(5)
})

test('the same seed writes the same text, another seed another', () => {
  expect(makeFiller(7).text(100, 0.5)).toBe(filler.text(100, 0.5))
  expect(makeFiller(8).text(100, 0.5)).not.toBe(filler.text(100, 0.5))
})
