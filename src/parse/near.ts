/** The word that a mistyped one stands for: `bnech` is bench, `compar` is compare, `Chat` is chat. */
import { distance } from 'fastest-levenshtein'

/** A shorter word is near to too many others: -c is not --ca. */
const SHORTEST = 3
/** With more slips than one in so many letters it is another word: buckets are no budgets. */
const LETTERS_A_SLIP = 4
/** With so much of its beginning in common it is the same word. */
const SAME_WORD = 0.75

/** The nearest known word to a mistyped one, or nothing where no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase()
  if (typed.length < SHORTEST) return known.find((name) => name.toLowerCase() === typed)
  const [first, ...others] = known.filter((name) => name.toLowerCase().startsWith(typed))
  if (first !== undefined && others.length === 0) return first
  const near = known
    .map((name) => ({ name, slips: countSlips(typed, name.toLowerCase()) }))
    .filter(({ name, slips }) => name.length >= SHORTEST && slips <= slipsAllowed(typed, name))
  // Nobody mistypes the first letter as often as the others.
  const rank = ({ name, slips }: { name: string; slips: number }): number =>
    slips + (name[0]?.toLowerCase() === typed[0] ? 0 : 0.5)
  return near.sort((a, b) => rank(a) - rank(b))[0]?.name
}

function slipsAllowed(typed: string, name: string): number {
  // The same letters in another order are hardly another word: possion is poisson.
  if (typed.length > SHORTEST && sorted(typed) === sorted(name.toLowerCase())) return 2
  // Another ending of the same word: concurrencies.
  if (sharedBeginning(typed, name.toLowerCase()) >= SAME_WORD * Math.max(typed.length, name.length)) return 3
  return Math.max(1, Math.floor(Math.min(typed.length, name.length) / LETTERS_A_SLIP))
}

function sharedBeginning(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

function sorted(word: string): string {
  return [...word].sort().join('')
}

/** Letters that are wrong, missing or too many; two neighbours in the wrong order are one slip, as with Damerau. */
function countSlips(typed: string, name: string): number {
  const swapped = Array.from({ length: typed.length - 1 }, (_, i) => {
    return typed.slice(0, i) + typed.charAt(i + 1) + typed.charAt(i) + typed.slice(i + 2)
  })
  return Math.min(distance(typed, name), ...swapped.map((word) => 1 + distance(word, name)))
}
