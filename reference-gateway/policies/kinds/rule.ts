/**
 * What one thing to look for is: a pattern, a check of what it found, and what is put in its place. Kinds of policies (pii,
 * keywords, regex) are lists of rules. A rule is made once, at the start; every text gets a search of its own.
 */
import { Automaton } from '../pattern/automaton.ts'
import { compileProgram } from '../pattern/program.ts'
import type { IsWord } from '../pattern/rune-classes.ts'
import { Search } from '../pattern/search.ts'
import type { TextBuffer } from '../pattern/text-buffer.ts'

export type Verify = (text: TextBuffer, start: number, end: number) => boolean

export interface RuleOptions {
  replacement: string
  verify?: Verify
  /** No match is longer than this, even where the pattern alone would allow it. */
  limit?: number
  /** A whole text in which this finds nothing has no match: a quick look before the search. Linear in the text. */
  hint?: RegExp
  /** What counts as a word for \b, and the first characters of the runs in which that is constant. */
  word?: { isWord: IsWord; cuts: readonly number[] }
}

const SLOW_INSTRUCTIONS = 1_000

export class Rule {
  readonly replacement: string
  /** Characters of the longest match; Infinity where the pattern knows none. */
  readonly longest: number
  /** So large a pattern that even a few characters may take long. */
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

  /** A search that holds no more than `atMost` characters of a text; `early`: see search.ts. */
  search(atMost: number, early: boolean): Search {
    const limit = this.longest <= atMost ? this.#limit : Math.min(this.#limit, atMost)
    return new Search(this.automaton, { limit, verify: this.#verify, early })
  }

  /** False: `text` as a whole surely has no match. */
  mayMatch(text: string): boolean {
    return this.#hint ? this.#hint.test(text) : text.includes(this.#prefix)
  }

  get automaton(): Automaton {
    if (this.#automaton.full) this.#automaton = this.#automaton.renewed()
    return this.#automaton
  }
}
