/**
 * Text of exactly so many tokens, made of WORDS. One seeded stretch of words is laid out before the run; a text is a slice of
 * it, so that making one costs the same whatever its length. The texts of two requests overlap somewhere, but begin
 * differently: a provider's prefix cache finds nothing to share.
 */
import { randomFrom } from '../stats/random.ts'
import { WORDS } from './words.ts'

/** Tokens laid out. Longer texts go round. */
const STRETCH = 65_536
/** The first token: a word without a space before it, in both vocabularies one token. */
const FIRST = 'The'

export interface Filler {
  /** `tokens` tokens (at least 1), beginning at a place of the stretch given by `place` in [0, 1). */
  text(tokens: number, place: number): string
}

export function fillerOf(seed: number | string): Filler {
  const random = randomFrom(`${seed}/words`)
  const words: string[] = []
  /** Where each word begins, with its space; one more entry for the end. */
  const starts = new Uint32Array(STRETCH + 1)
  let length = 0
  for (let i = 0; i < STRETCH; i++) {
    const word = ` ${WORDS[Math.floor(random() * WORDS.length)]}`
    words.push(word)
    length += word.length
    starts[i + 1] = length
  }
  const stretch = words.join('')
  const slice = (from: number, to: number): string => stretch.slice(starts[from], starts[to])
  return {
    text(tokens, place) {
      const from = Math.floor(place * STRETCH)
      const wanted = tokens - 1
      const first = Math.min(wanted, STRETCH - from)
      const rest = wanted - first
      return FIRST + slice(from, from + first) + stretch.repeat(Math.floor(rest / STRETCH)) + slice(0, rest % STRETCH)
    },
  }
}
