/**
 * Watches a growing text for one policy: by the searches of its rules, by a count of tokens, or by a webhook that is
 * asked window by window. Every detector says how far it has settled the text.
 */
import type { TextFinding } from '../kinds/edits.ts'
import type { PatternRule } from '../kinds/pattern-rule.ts'
import { CHARACTERS_PER_TOKEN, type Policy } from '../kinds/policy.ts'
import type { Webhook } from '../kinds/webhook.ts'
import type { PatternMatch, PatternSearch } from '../pattern/search.ts'
import { timeBudget } from '../pattern/search-budget.ts'
import type { TextBuffer } from '../pattern/text-buffer.ts'

export interface DetectedMatch {
  match: PatternMatch
  replacement: string
  /** Of two matches that begin together, the one with the lower order counts. */
  order: number
}

export interface Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[]
  readonly settledUpTo: number
  /** The first position that must stay in the buffer. */
  readonly needed: number
  failed: 'timeout' | undefined
  /** False: not finished in time. */
  feed(text: TextBuffer, complete: boolean): boolean
  release(): void
  close?(): void
}

export interface DetectorOptions {
  /** Characters that a detector may hold. */
  window: number
  flushMs: number
  /** See search.ts; false where another stage follows. */
  early: boolean
  /** Called by a detector that settles text later on its own. */
  onSettled: () => void
  /** Runs the callback of a detector's timer or promise (see StreamSink). */
  run: (step: () => void) => void
}

/** The clock is not checked for fewer new characters than this: no pattern takes long for them. */
const UNTIMED = 2_048
let orders = 0

export function createDetectors(policy: Policy, setting: DetectorOptions): Detector[] {
  if (policy.webhook) return [new WebhookDetector(policy, policy.webhook, setting, ++orders)]
  if (policy.maxTokens !== undefined) return [new TokenCount(policy, policy.maxTokens)]
  return (policy.rules ?? []).map((rule) => new RuleDetector(policy, rule, setting))
}

class RuleDetector implements Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[] = []
  failed: 'timeout' | undefined
  readonly #rule: PatternRule
  readonly #search: PatternSearch
  readonly #order = ++orders

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

/** An estimate, since the provider counts a response's tokens only at its end. */
class TokenCount implements Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[] = []
  settledUpTo = 0
  failed: 'timeout' | undefined
  readonly #limit: number

  constructor(policy: Policy, maxTokens: number) {
    this.policy = policy
    this.#limit = maxTokens * CHARACTERS_PER_TOKEN
  }

  get needed(): number {
    return this.settledUpTo
  }

  feed(text: TextBuffer): boolean {
    if (this.settledUpTo <= this.#limit && text.end > this.#limit) {
      this.found.push({ match: { start: this.#limit, end: text.end, open: false }, replacement: '', order: 0 })
    }
    this.settledUpTo = text.end
    return true
  }

  release(): void {}
}

/**
 * Asks a webhook about windows of a growing text: each window once it is full, once its first character has waited for
 * the flush interval, or once the text is complete. It asks about one window at a time, which is held until judged.
 */
class WebhookDetector implements Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[] = []
  settledUpTo = 0
  failed: 'timeout' | undefined
  readonly #webhook: Webhook
  readonly #setting: DetectorOptions
  readonly #order: number
  readonly #abort = new AbortController()
  #text: TextBuffer | undefined
  #complete = false
  #asking = false
  #timer: NodeJS.Timeout | undefined

  constructor(policy: Policy, webhook: Webhook, setting: DetectorOptions, order: number) {
    this.policy = policy
    this.#webhook = webhook
    this.#setting = setting
    this.#order = order
  }

  get needed(): number {
    return this.settledUpTo
  }

  feed(text: TextBuffer, complete: boolean): boolean {
    this.#text = text
    this.#complete = complete
    this.#consider(false)
    return true
  }

  release(): void {
    this.settledUpTo = this.#text?.end ?? 0
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#abort.abort()
  }

  #consider(flush: boolean): void {
    const waiting = (this.#text?.end ?? 0) - this.settledUpTo
    if (this.#asking || waiting === 0) return
    if (flush || this.#complete || waiting >= this.#setting.window) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#ask()
    } else this.#timer ??= setTimeout(() => this.#setting.run(() => this.#flush()), this.#setting.flushMs)
  }

  #flush(): void {
    this.#timer = undefined
    this.#consider(true)
  }

  #ask(): void {
    const text = this.#text
    if (!text) return
    const from = this.settledUpTo
    const to = Math.min(text.end, from + this.#setting.window)
    const question = { policy: this.policy.name, direction: 'output' as const, texts: [text.slice(from, to)] }
    this.#asking = true
    const { run } = this.#setting
    this.#webhook.judge(question, this.policy.replacement, this.#abort.signal).then(
      ([findings = []]) => run(() => this.#judged(findings, from, to)),
      () => run(() => this.#notJudged()),
    )
  }

  #judged(findings: readonly TextFinding[], from: number, to: number): void {
    this.#asking = false
    // The text was released meanwhile, so the judgement is too late.
    if (this.settledUpTo === from) {
      for (const { start, end, replacement } of findings) {
        const match = { start: from + start, end: from + end, open: false }
        this.found.push({ match, replacement, order: this.#order })
      }
      this.settledUpTo = to
    }
    this.#consider(false)
    this.#setting.onSettled()
  }

  #notJudged(): void {
    this.#asking = false
    if (this.#abort.signal.aborted) return
    this.failed = 'timeout'
    this.#setting.onSettled()
  }
}
