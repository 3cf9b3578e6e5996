/**
 * Text of exactly so many tokens, made of WORDS. One seeded stretch of words is laid out before the run; a text is a
 * slice of it, so that making one costs the same whatever its length. The texts of two requests overlap somewhere, but
 * begin differently: a provider's prefix cache finds nothing to share.
 */
import { randomFrom } from '../stats/random.ts'

/**
 * The words that generated prompts are made of. Each of them, with the space before it, is one token in o200k_base and
 * in cl100k_base, and since both vocabularies split text before every space, the tokens of a text of such words add up
 * exactly. Lowercase English without digits or marks, so that no filter takes it for data and JSON leaves it as it is;
 * 4.8 bytes a token, near the 4.5 measured on real prompts.
 */
export const WORDS: readonly string[] = `
a about all already also and any are as ask at average be bear beyond big bird book but buy buyer by call can
car case character cloud code come contain cross cut dark day deep desert did do down dream east eat else end
enjoy expect eye fair far farm feel few find fire first fish flow fly for form free fund general get gift go
goal good got had half hard has he health heat her high him his hold home hot hour how idea if in include is it
its job join just kept key king labor lake last law lay leaf less let lie like link listen live look lot love
low make man mark may me media men met mile miss mix more morning move must my near net new next no not note
notice now of off oil old on one only or our out output over own pair part past pay per piece plan port prevent
pull purpose push put rain ran read red region rest ring risk rock roll root run safe same sample sat say sea
see seek serve set she shop side single sit site six sky slow so soft son song sort split stay stop straight sun
talk target tax tea team ten term text that the they tie time to together tool top tree true try two type until
up upon us use very wait wall war warm was way we week welcome what who wide will win wish wood work yes yet you
`
  .trim()
  .split(/\s+/)

/** Tokens laid out. Longer texts go round. */
const STRETCH = 65_536

/** The first token: a word without a space before it, in both vocabularies one token. */
const FIRST = 'The'

export interface Filler {
  /** `tokens` tokens (at least 1), beginning at a place of the stretch given by `place` in [0, 1). */
  text(tokens: number, place: number): string
  /** The same as it stands within a text: each of its tokens begins with a space. */
  further(tokens: number, place: number): string
}

export function makeFiller(seed: number | string): Filler {
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
  const further = (tokens: number, place: number): string => {
    const from = Math.floor(place * STRETCH)
    const first = Math.min(tokens, STRETCH - from)
    const rest = tokens - first
    return slice(from, from + first) + stretch.repeat(Math.floor(rest / STRETCH)) + slice(0, rest % STRETCH)
  }
  return { text: (tokens, place) => FIRST + further(tokens - 1, place), further }
}
