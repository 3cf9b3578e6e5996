/**
 * One thing to look for: a pattern, a check of what it found, and its replacement. Policies of the kinds pii, keywords
 * and regex are lists of rules. A rule is made once, at the start; every text gets a search of its own.
 */
import { RE2JS } from 're2js'
import { Automaton } from '../pattern/automaton.ts'
import { compileProgram } from '../pattern/program.ts'
import type { IsWord } from '../pattern/rune-classes.ts'
import { PatternSearch } from '../pattern/search.ts'
import type { TextBuffer } from '../pattern/text-buffer.ts'

export interface RuleOptions {
  replacement: string
  verify?: Verify
  /** The longest match, even where the pattern alone would allow a longer one. */
  limit?: number
  /**
   * A whole text without a hit of this regular expression has no match. A quick look before the search, linear in the
   * text.
   */
  hint?: RegExp
  /** Which characters \b counts as a word, and the first characters of the runs in which that is constant. */
  word?: { isWord: IsWord; cuts: readonly number[] }
}

type Verify = (text: TextBuffer, start: number, end: number) => boolean
const SLOW_INSTRUCTIONS = 1_000

export class PatternRule {
  readonly replacement: string
  /** Characters of the longest match; Infinity where the pattern has no limit. */
  readonly longest: number
  /** The pattern is so large that even a few characters may take long. */
  readonly slow: boolean
  readonly #verify: Verify | undefined
  readonly #limit: number
  readonly #hint: RegExp | undefined
  readonly #prefix: string
  #automaton: Automaton

  /** Throws an Error that says what is wrong with `pattern` (RE2 syntax). */
  constructor(pattern: string, options: RuleOptions) {
    const program = compileProgram(pattern)
    this.#automaton = new Automaton(program, options.word?.isWord, options.word?.cuts)
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY
    this.#hint = options.hint
    this.#prefix = program.prefix
    this.longest = Math.min(program.longest, this.#limit)
    this.slow = program.instructions.length > SLOW_INSTRUCTIONS
    this.#verify = options.verify
    this.replacement = options.replacement
  }

  /** A search that holds at most `atMost` characters of a text. For `early` see search.ts. */
  search(atMost: number, early: boolean): PatternSearch {
    const limit = this.longest <= atMost ? this.#limit : Math.min(this.#limit, atMost)
    return new PatternSearch(this.automaton, { limit, verify: this.#verify, early })
  }

  /** False: `text` as a whole has no match. */
  mayMatch(text: string): boolean {
    return this.#hint ? this.#hint.test(text) : text.includes(this.#prefix)
  }

  get automaton(): Automaton {
    if (this.#automaton.full) this.#automaton = this.#automaton.renewed()
    return this.#automaton
  }
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
  const ordered = [...new Set(words)].sort((a, b) => b.length - a.length)
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
