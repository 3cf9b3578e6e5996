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

/** The index of a token's text among `distinctTokens`: what is prebuilt for a text is found by it. */
export function tokenKind(index: number): number {
  return index === 0 ? 0 : 1 + ((index - 1) % ROUND.length)
}

/** Every text a token can have, by kind. */
export const distinctTokens: readonly string[] = [FIRST, ...ROUND]

/** The first `count` tokens in one string. */
export function textOf(count: number): string {
  if (count === 0) return ''
  const rest = count - 1
  return FIRST + ROUND_TEXT.repeat(Math.floor(rest / ROUND.length)) + ROUND.slice(0, rest % ROUND.length).join('')
}
