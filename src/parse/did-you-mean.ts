/** The nearest known word to a mistyped one, or nothing when no known word is close. */
import { closest, distance } from 'fastest-levenshtein'

export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const nearest = closest(word, known)
  return distance(word, nearest) <= Math.max(1, Math.floor(nearest.length / 3)) ? nearest : undefined
}
