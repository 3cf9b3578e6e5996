/** Words and phrases, as one pattern. A word is a word of any script: \b goes by Unicode's letters and digits. */
import { RE2JS } from 're2js'
import { Rule } from './rule.ts'

export interface KeywordOptions {
  words: readonly string[]
  caseSensitive: boolean
  /** False: inside of words too. */
  wholeWords: boolean
  replacement: string
}

/** Beyond so many, trying each where a word begins takes longer than the search itself. */
const MOST_HINTED = 32
const LETTER = /[\p{L}\p{N}\p{M}_]/u

export function keywordRule({ words, caseSensitive, wholeWords, replacement }: KeywordOptions): Rule {
  // Of two that begin alike the longer one is meant: RE2 prefers what comes first.
  const ordered = [...new Set(words)].sort((a, b) => b.length - a.length)
  const alternatives = ordered.map((word) => {
    const characters = [...word]
    const before = wholeWords && LETTER.test(characters[0] ?? '') ? '\\b' : ''
    const after = wholeWords && LETTER.test(characters.at(-1) ?? '') ? '\\b' : ''
    // A phrase may be broken over lines.
    return before + word.trim().split(/\s+/).map(RE2JS.quote).join('[ \\t\\r\\n]{1,8}') + after
  })
  const pattern = `${caseSensitive ? '' : '(?i)'}(?:${alternatives.join('|')})`
  const hint = hintOf(ordered, caseSensitive)
  return new Rule(pattern, { replacement, ...(hint && { hint }), ...(wholeWords && { word: unicodeWords() }) })
}

/** The first word of each phrase. Only of ASCII: of other scripts, who knows which release of Unicode folds what. */
function hintOf(phrases: readonly string[], caseSensitive: boolean): RegExp | undefined {
  const firsts = phrases.map((phrase) => phrase.trim().split(/\s+/)[0] ?? '')
  if (firsts.length > MOST_HINTED || !firsts.every((word) => /^[!-~]+$/.test(word))) return undefined
  // With `u`, case is folded as RE2 folds it: the Kelvin sign is a k, the long s an s.
  return new RegExp(
    firsts.map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'),
    caseSensitive ? 'u' : 'iu',
  )
}

let cuts: readonly number[] | undefined

function unicodeWords() {
  const isWord = (rune: number): boolean => LETTER.test(String.fromCodePoint(rune))
  if (!cuts) {
    const found: number[] = []
    let inside = false
    for (let rune = 0; rune <= 0x323af + 1; rune++) {
      const is = isWord(rune)
      if (is !== inside) found.push(rune)
      inside = is
    }
    cuts = found
  }
  return { isWord, cuts }
}
