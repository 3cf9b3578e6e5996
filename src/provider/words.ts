/**
 * What the simulated model says: a round of plain English words, one token each (with its leading space) in OpenAI's
 * vocabularies. ASCII without digits, quotes or escapes, so that no filter takes it for data and it is its own JSON.
 */

const FIRST = 'The'
const ROUND = (
  ' simulated model answers with plain words so that every token can be counted and nothing in the text looks like' +
  ' private data while the gateway passes each of them along to the client in order.'
).split(/(?= )/)
const ROUND_TEXT = ROUND.join('')

const ROUND_TWICE = ROUND_TEXT.repeat(2)
/** Where each token of the first round begins. */
const OFFSETS = ROUND.map((_, i) => ROUND.slice(0, i).join('').length)

/** The first `count` tokens in one string. */
export function textOf(count: number): string {
  return count === 0 ? '' : FIRST + rounds(0, count - 1)
}

/** `count` tokens from the one at `index` on, in one string. */
export function textFrom(index: number, count: number): string {
  return index === 0 ? textOf(count) : rounds((index - 1) % ROUND.length, count)
}

/** `count` tokens of the endless round, from its token `at` on. */
function rounds(at: number, count: number): string {
  if (count === 1) return ROUND[at] ?? ''
  const end = at + count
  const text = end < 2 * ROUND.length ? ROUND_TWICE : ROUND_TEXT.repeat(Math.ceil(end / ROUND.length) + 1)
  return text.slice(offsetOf(at), offsetOf(end))
}

function offsetOf(at: number): number {
  return Math.floor(at / ROUND.length) * ROUND_TEXT.length + (OFFSETS[at % ROUND.length] ?? 0)
}
