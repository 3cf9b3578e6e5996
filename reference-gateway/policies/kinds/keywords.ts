/** Looks for words and phrases of any script. */
import { RE2JS } from 're2js'
import { z } from 'zod'
import { PatternRule } from '../policy/pattern-rule.ts'
import { type PolicyKind, REPLACEMENT } from '../policy/policy.ts'
import { judgeByRules } from '../policy/rules.ts'

const schema = z.strictObject({
  keywords: z.array(z.string().trim().min(1)).min(1),
  case_sensitive: z.boolean().optional(),
  whole_words: z.boolean().optional(),
})

export const keywords: PolicyKind<'keywords', typeof schema> = {
  name: 'keywords',
  schema,
  compile: (settings) => {
    const { keywords: words, case_sensitive: caseSensitive = false, whole_words: wholeWords = true } = settings
    const { replacement = REPLACEMENT } = settings
    return judgeByRules([keywordRule({ words, caseSensitive, wholeWords, replacement })])
  },
}

interface KeywordOptions {
  words: readonly string[]
  caseSensitive: boolean
  /** False: matches inside of words too. */
  wholeWords: boolean
  replacement: string
}

/** With more words than this, trying each of them where a word begins takes longer than the search itself. */
const MAX_HINTED = 32
const LETTER = /[\p{L}\p{N}\p{M}_]/u

/** Words and phrases as one pattern. \b goes by Unicode's letters and digits, so words may be of any script. */
export function keywordRule({ words, caseSensitive, wholeWords, replacement }: KeywordOptions): PatternRule {
  // Of two phrases that begin alike the longer one is meant, and RE2 prefers the first.
  // A text is searched as it stands and as it looks; a letter and its mark may be one character or two.
  const forms = words.flatMap((word) => [word, word.normalize('NFKC'), word.normalize('NFKD')])
  const ordered = [...new Set(forms)].sort((a, b) => b.length - a.length)
  const alternatives = ordered.map((word) => {
    const characters = [...word]
    const before = wholeWords && LETTER.test(characters[0] ?? '') ? '\\b' : ''
    const after = wholeWords && LETTER.test(characters.at(-1) ?? '') ? '\\b' : ''
    // A phrase may be broken over lines.
    return before + word.trim().split(/\s+/).map(RE2JS.quote).join('[ \\t\\r\\n]{1,8}') + after
  })
  const pattern = `${caseSensitive ? '' : '(?i)'}(?:${alternatives.join('|')})`
  const hint = buildHint(ordered, caseSensitive)
  return new PatternRule(pattern, { replacement, ...(hint && { hint }), ...(wholeWords && { word: unicodeWords() }) })
}

/** Finds the first word of each phrase. ASCII only: for other scripts, releases of Unicode fold case differently. */
function buildHint(phrases: readonly string[], caseSensitive: boolean): RegExp | undefined {
  const firsts = phrases.map((phrase) => phrase.trim().split(/\s+/)[0] ?? '')
  if (firsts.length > MAX_HINTED || !firsts.every((word) => /^[!-~]+$/.test(word))) return undefined
  // With `u`, case is folded as RE2 folds it: the Kelvin sign is a k, the long s is an s.
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
