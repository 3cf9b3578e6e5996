/**
 * One thing to look for: a pattern, a check of what it found, and its replacement. Policies of the kinds regex,
 * keywords and pii are lists of rules. A rule is made once, at the start; every text gets a search of its own.
 */
import { Automaton, BEFORE } from '../pattern/automaton.ts'
import { compileProgram } from '../pattern/program.ts'
import type { IsWord } from '../pattern/rune-classes.ts'
import { PatternSearch } from '../pattern/search.ts'
import { ASCII, isLetterOrDigit, type TextBuffer } from '../pattern/text-buffer.ts'
import type { Starters } from './policy.ts'

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

const isAnythingElse = (unit: number): boolean => !isLetterOrDigit(unit)

type Verify = (text: TextBuffer, start: number, end: number) => boolean

export class PatternRule {
  readonly replacement: string
  /** Characters of the longest match; Infinity where the pattern has no limit. */
  readonly longest: number
  /** A character costs as many visits at most, and a look into a table where its state is known. */
  readonly instructions: number
  readonly #verify: Verify | undefined
  readonly #limit: number
  readonly #hint: RegExp | undefined
  readonly #prefix: string
  #automaton: Automaton
  #starters: Starters | undefined

  /** Throws an Error that says what is wrong with `pattern` (RE2 syntax). */
  constructor(pattern: string, options: RuleOptions) {
    const program = compileProgram(pattern)
    this.#automaton = new Automaton(program, options.word?.isWord, options.word?.cuts)
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY
    this.#hint = options.hint
    this.#prefix = program.prefix
    this.longest = Math.min(program.longest, this.#limit)
    this.instructions = program.instructions.length
    this.#verify = options.verify
    this.replacement = options.replacement
  }

  /** A search that holds at most `atMost` characters of a text. For `early` and `from` see search.ts. */
  search(atMost: number, early: boolean, from = 0): PatternSearch {
    const limit = this.longest <= atMost ? this.#limit : Math.min(this.#limit, atMost)
    return new PatternSearch(this.automaton, { limit, verify: this.#verify, early, from })
  }

  /** False: `text` as a whole has no match. */
  mayMatch(text: string): boolean {
    return this.#hint ? this.#hint.test(text) : text.includes(this.#prefix)
  }

  /** Made at the first call. */
  get starters(): Starters {
    this.#starters ??= { inside: this.#startersAfter(isLetterOrDigit), elsewhere: this.#startersAfter(isAnythingElse) }
    return this.#starters
  }

  #startersAfter(isBefore: (unit: number) => boolean): Uint8Array {
    const { automaton } = this
    const units = Array.from({ length: ASCII }, (_, unit) => unit)
    const kinds = new Set(units.filter(isBefore).map((unit) => automaton.before(unit)))
    if (isBefore === isAnythingElse) kinds.add(BEFORE.TEXT)
    return Uint8Array.from(units, (unit) => (automaton.mayStartAfter(kinds, unit) ? 1 : 0))
  }

  get automaton(): Automaton {
    if (this.#automaton.full) this.#automaton = this.#automaton.renewed()
    return this.#automaton
  }
}
