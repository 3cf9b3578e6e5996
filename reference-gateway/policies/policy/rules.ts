/**
 * Judges by rules, as policies of the kinds regex, keywords and pii do: the same search over whole texts and over texts
 * that grow.
 */
import { type FoldedText, foldedOf } from '../pattern/folded-text.ts'
import type { PatternMatch, PatternSearch } from '../pattern/search.ts'
import { type IsOverBudget, timeBudget } from '../pattern/search-budget.ts'
import { TextBuffer } from '../pattern/text-buffer.ts'
import type { TextFinding } from './edits.ts'
import type { PatternRule } from './pattern-rule.ts'
import {
  type CompiledKind,
  type DetectedMatch,
  type Detector,
  type DetectorOptions,
  nextOrder,
  type Policy,
  type Starters,
} from './policy.ts'

/** The clock is not asked where the search visits no more instructions than this: two milliseconds' worth at most. */
const UNTIMED = 200_000
/** How long a search may have the event loop before others get it. */
const TURN_MS = 5
/** Only such a text can look otherwise than it is written. */
const ODD = /[^\0-\x7f]|\\/

export function judgeByRules(rules: readonly PatternRule[]): CompiledKind {
  return {
    whole: {
      how: 'search',
      quick: false,
      search: (texts, over, buffers = []) => searchTexts(rules, texts, over, buffers),
    },
    stream: {
      longest: Math.max(...rules.map(({ longest }) => longest)),
      settlesLater: false,
      detectors: (policy, options) => rules.map((rule) => new RuleDetector(policy, rule, options)),
    },
  }
}

function searchTexts(
  rules: readonly PatternRule[],
  texts: readonly string[],
  over: IsOverBudget | undefined,
  buffers: TextBuffer[],
): TextFinding[][] | undefined {
  const found: TextFinding[][] = []
  for (const [i, text] of texts.entries()) {
    const findings: TextFinding[] = []
    found.push(findings)
    const note = (start: number, end: number, { replacement }: PatternRule): number =>
      findings.push({ start, end, replacement })
    const buffer = (): TextBuffer => {
      buffers[i] ??= TextBuffer.of(text)
      return buffers[i]
    }
    if (!searchText(rules, text, buffer, over, note)) return undefined
    const folded = ODD.test(text) ? foldedOf(buffer(), true) : undefined
    if (!folded) continue
    const seen = folded.text.slice(folded.text.base, folded.text.end)
    const noteSeen: typeof note = (start, end, rule) => note(folded.startOf(start), folded.endOf(end), rule)
    if (!searchText(rules, seen, () => folded.text, over, noteSeen)) return undefined
  }
  return found
}

/** False: the budget was used up before the end. */
function searchText(
  rules: readonly PatternRule[],
  text: string,
  buffer: () => TextBuffer,
  over: IsOverBudget | undefined,
  note: (start: number, end: number, rule: PatternRule) => void,
): boolean {
  for (const rule of rules) {
    if (!rule.mayMatch(text)) continue
    const search = rule.search(Number.POSITIVE_INFINITY, false)
    if (!search.finish(buffer(), over)) return false
    for (const { start, end } of search.matches) note(start, end, rule)
  }
  return true
}

class RuleDetector implements Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[] = []
  failed: 'timeout' | undefined
  readonly #rule: PatternRule
  readonly #window: number
  readonly #search: PatternSearch
  /** The search of what the text looks like, once that is something else. */
  #seen: { search: PatternSearch; view: FoldedText } | undefined
  readonly #order = nextOrder()
  /** Over all turns since the search last kept pace with the text. */
  #spentMs = 0
  #isBehind = false

  constructor(policy: Policy, rule: PatternRule, { window, early }: DetectorOptions) {
    this.policy = policy
    this.#rule = rule
    this.#window = window
    this.#search = rule.search(window, early)
  }

  get starters(): Starters {
    return this.#rule.starters
  }

  isIdleAt(end: number): boolean {
    return this.#seen === undefined && this.#search.isIdleAt(end)
  }

  skip(position: number): void {
    this.#search.skip(position)
  }

  get settledUpTo(): number {
    const { settledUpTo } = this.#search
    if (!this.#seen) return settledUpTo
    const { search, view } = this.#seen
    return Math.min(settledUpTo, view.startOf(search.settledUpTo))
  }

  get needed(): number {
    const { needed } = this.#search
    return this.#seen ? Math.min(needed, this.#seen.view.startOf(this.#seen.search.needed)) : needed
  }

  feed(text: TextBuffer, complete: boolean): boolean {
    const view = foldedOf(text, complete)
    if (view) this.#seen ??= { search: this.#rule.search(this.#window, false, this.#search.settledUpTo), view }
    const inTime = this.#read(this.#search, text, complete)
    for (const match of this.#search.matches) this.#note(match)
    this.#search.matches.length = 0
    if (!this.#seen || !inTime) return inTime
    const { search, view: seen } = this.#seen
    const seenInTime = this.#read(search, seen.text, complete)
    for (const { start, end } of search.matches) {
      this.#note({ start: seen.startOf(start), end: seen.endOf(end), open: false })
    }
    search.matches.length = 0
    return seenInTime
  }

  /** False: not finished. */
  #read(search: PatternSearch, text: TextBuffer, complete: boolean): boolean {
    search.moveTo(this.#rule.automaton)
    const { timeoutMs } = this.policy
    if ((text.end - search.needed) * this.#rule.instructions <= UNTIMED) {
      return complete ? search.finish(text) : search.feed(text)
    }
    const startMs = performance.now()
    const over = timeBudget(Math.min(TURN_MS, timeoutMs - this.#spentMs))
    const done = complete ? search.finish(text, over) : search.feed(text, over)
    const keptPace = done && !this.#isBehind
    this.#isBehind = !done
    this.#spentMs = keptPace ? 0 : this.#spentMs + performance.now() - startMs
    if (!done && this.#spentMs >= timeoutMs) this.failed = 'timeout'
    return done
  }

  #note(match: PatternMatch): void {
    this.found.push({ match, replacement: this.#rule.replacement, order: this.#order })
  }
}
