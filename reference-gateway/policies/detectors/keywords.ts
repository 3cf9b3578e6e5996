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
  return new Rule(pattern, { replacement, ...(wholeWords && { word: unicodeWords() }) })
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
