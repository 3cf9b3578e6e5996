/**
 * Judges by rules, as policies of the kinds regex, keywords and pii do: the same search over whole texts and over texts
 * that grow.
 */
import type { PatternSearch } from '../pattern/search.ts'
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
} from './policy.ts'

/** The clock is not checked for fewer new characters than this: no pattern takes long for them. */
const UNTIMED = 2_048

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
  all: readonly PatternRule[],
  texts: readonly string[],
  over: IsOverBudget | undefined,
  buffers: TextBuffer[],
): TextFinding[][] | undefined {
  const found: TextFinding[][] = []
  for (const [i, text] of texts.entries()) {
    const findings: TextFinding[] = []
    found.push(findings)
    const rules = all.filter((rule) => rule.mayMatch(text))
    if (rules.length === 0) continue
    const buffer = buffers[i] ?? TextBuffer.of(text)
    buffers[i] = buffer
    for (const rule of rules) {
      const search = rule.search(Number.POSITIVE_INFINITY, false)
      if (!search.finish(buffer, over)) return undefined
      for (const { start, end } of search.matches) findings.push({ start, end, replacement: rule.replacement })
    }
  }
  return found
}

class RuleDetector implements Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[] = []
  failed: 'timeout' | undefined
  readonly #rule: PatternRule
  readonly #search: PatternSearch
  readonly #order = nextOrder()

  constructor(policy: Policy, rule: PatternRule, { window, early }: DetectorOptions) {
    this.policy = policy
    this.#rule = rule
    this.#search = rule.search(window, early)
  }

  get settledUpTo(): number {
    return this.#search.settledUpTo
  }

  get needed(): number {
    return this.#search.needed
  }

  feed(text: TextBuffer, complete: boolean): boolean {
    const search = this.#search
    search.moveTo(this.#rule.automaton)
    const timed = this.#rule.slow || text.end - search.needed > UNTIMED
    const over = timed ? timeBudget(this.policy.timeoutMs) : undefined
    const inTime = complete ? search.finish(text, over) : search.feed(text, over)
    if (search.matches.length > 0) {
      for (const match of search.matches) {
        this.found.push({ match, replacement: this.#rule.replacement, order: this.#order })
      }
      search.matches.length = 0
    }
    return inTime
  }

  release(): void {
    this.#search.release()
  }
}
