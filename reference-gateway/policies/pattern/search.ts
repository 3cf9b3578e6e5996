/**
 * Finds a pattern's matches in a text that arrives in pieces. They are the same matches as in the whole text, leftmost
 * first, however the text is cut. Places where a match may have begun are followed side by side (see
 * match-candidates.ts). The text before the earliest of them is settled: no later character can change what was found
 * there.
 * A match without verification is announced as soon as its start is certain; its end may still grow. A match with
 * verification (a checksum) is announced when it can grow no more: the longest end that verifies counts, and where none
 * does, the search goes on one character further. A candidate that has not matched within `limit` characters is given
 * up, so that no text can make a pattern hold more than that.
 */

import { ACCEPTS, type Automaton, DEAD, MATCHED_BEFORE } from './automaton.ts'
import { MatchCandidates, NONE } from './match-candidates.ts'
import type { IsOverBudget } from './search-budget.ts'
import type { TextBuffer } from './text-buffer.ts'

export interface PatternMatch {
  start: number
  end: number
  /** Its end may still grow. */
  open: boolean
}

interface SearchOptions {
  /** Infinity for none. */
  limit: number
  /** Whether the text from `start` to `end` is what it looks like. */
  verify?: ((text: TextBuffer, start: number, end: number) => boolean) | undefined
  /** False: matches are announced only when they can grow no more. */
  early?: boolean
  /** Where the search begins; what lies before is known. */
  from?: number
}

/**
 * The budget is checked after this many characters, and with a large program after half a millisecond's worth of them.
 */
const SLICE = 2048
const SLICE_INSTRUCTIONS = 50_000

export class PatternSearch {
  /** Announced, and not yet taken by the reader. */
  readonly matches: PatternMatch[] = []
  readonly #candidates: MatchCandidates
  readonly #options: SearchOptions
  /** The next character to read. */
  #at = 0
  #committed: PatternMatch | undefined
  #lastGivenUp = Number.NEGATIVE_INFINITY

  constructor(automaton: Automaton, options: SearchOptions) {
    this.#candidates = new MatchCandidates(automaton, options.verify !== undefined)
    this.#options = options
    this.#at = options.from ?? 0
  }

  /** Everything before this position is final. */
  get settledUpTo(): number {
    if (this.#committed) return this.#committed.end
    return this.#candidates.count > 0 ? (this.#candidates.starts[0] ?? 0) : this.#at
  }

  /** Nothing is under way, and all of `text` has been read. */
  isIdleAt(end: number): boolean {
    return this.#candidates.count === 0 && this.#committed === undefined && this.#at === end
  }

  /** Somebody else has seen that no match begins before `position`. Only where nothing is under way. */
  skip(position: number): void {
    this.#at = position
  }

  /** The first position that must stay in the buffer: \b asks for the character before the unsettled text. */
  get needed(): number {
    return Math.max(0, this.settledUpTo - 1)
  }

  /** Continues with an equal automaton that has fewer states. */
  moveTo(automaton: Automaton): void {
    if (automaton !== this.#candidates.automaton) this.#candidates.moveTo(automaton)
  }

  /** Reads to the buffer's end. False: the budget was used up before that, and the rest is unread. */
  feed(text: TextBuffer, isOverBudget?: IsOverBudget, last = false): boolean {
    const { length } = this.#candidates.automaton.program.instructions
    const slice = Math.min(SLICE, Math.ceil(SLICE_INSTRUCTIONS / length))
    while (this.#at < text.end) {
      const to = isOverBudget ? Math.min(text.end, this.#at + slice) : text.end
      const before = this.#at
      this.#read(text, to, last)
      // Half a character at the end waits for its other half.
      if (this.#at === before && to === text.end && endsInHalf(text)) break
      if (isOverBudget?.()) return false
    }
    return true
  }

  /** Judges the text as if it ended here; `feed` goes on where more follows. */
  finish(text: TextBuffer, isOverBudget?: IsOverBudget): boolean {
    for (;;) {
      if (!this.feed(text, isOverBudget, true)) return false
      if (this.#candidates.finish(this.#at)) this.#settle(text)
      else if (this.#candidates.count > 0 && this.#options.verify) this.#restart((this.#candidates.starts[0] ?? 0) + 1)
      else break
    }
    this.#candidates.clear()
    return true
  }

  #read(text: TextBuffer, to: number, last: boolean): void {
    const candidates = this.#candidates
    const { mayStart, classes } = candidates.automaton
    const { ofUnit } = classes
    while (this.#at < to) {
      const { units, base } = text
      let at = this.#at
      if (candidates.count === 0) {
        while (at < to && mayStart[units[at - base] ?? 0] === 0) at++
        this.#at = at
      } else if (candidates.count === 1 && candidates.ends[0] === NONE && this.#options.verify === undefined) {
        at = this.#readOne(text, to)
      }
      if (at >= to) return
      const unit = units[at - base] ?? 0
      let runeClass = ofUnit[unit] ?? 0
      let next = at + 1
      if ((unit & 0xfc00) === 0xd800) {
        if (next >= text.end && !last) return
        const low = next < text.end ? (units[next - base] ?? 0) : 0
        if ((low & 0xfc00) === 0xdc00) {
          runeClass = classes.ofRune(((unit & 0x3ff) << 10) + (low & 0x3ff) + 0x10000)
          next++
        }
      }
      this.#advance(text, runeClass, at, next)
    }
  }

  /**
   * Reads on while nothing happens: the one candidate goes on, or ends without a match, and whatever begins later is in
   * the same state. Returns the first position where something happens. A text without matches spends its time here.
   */
  #readOne(text: TextBuffer, to: number): number {
    const candidates = this.#candidates
    const { units, base } = text
    const { steps, flags, startAfter, classes } = candidates.automaton
    const { ofUnit, count } = classes
    const upTo = Math.min(to, (candidates.starts[0] ?? 0) + this.#options.limit - 1)
    let at = this.#at
    let state = candidates.states[0] ?? DEAD
    // There is a character before this one: the candidate's first.
    let fresh = startAfter[ofUnit[units[at - 1 - base] ?? 0] ?? 0] ?? DEAD
    while (at < upTo) {
      const unit = units[at - base] ?? 0
      if ((unit & 0xf800) === 0xd800) break
      const runeClass = ofUnit[unit] ?? 0
      const step = steps[state * count + runeClass] ?? NONE
      const freshStep = steps[fresh * count + runeClass] ?? NONE
      // A step that was never made, or a match right before this character.
      if (step < 0 || freshStep < 0 || (step & MATCHED_BEFORE) !== 0) break
      if (((flags[step >> 1] ?? 0) & ACCEPTS) !== 0) break
      if (freshStep >> 1 !== DEAD && freshStep >> 1 !== step >> 1) break
      at++
      if (step >> 1 === DEAD) {
        candidates.count = 0
        this.#at = at
        return at
      }
      state = step >> 1
      fresh = startAfter[runeClass] ?? DEAD
    }
    candidates.states[0] = state
    this.#at = at
    return at
  }

  /** Reads one character, of `runeClass`, that goes from `at` to `next`. */
  #advance(text: TextBuffer, runeClass: number, at: number, next: number): void {
    const candidates = this.#candidates
    const before = candidates.count
    const first = candidates.starts[0] ?? 0
    candidates.nextCharacter()
    const found = before > 0 && candidates.step(runeClass, at, next)
    if (this.#options.verify !== undefined && before > 0) {
      // One candidate at a time: what begins inside it is looked for once this candidate is given up.
      if (candidates.count === 0) {
        this.#restart(first + 1)
        return
      }
    } else if (!found && this.#committed === undefined) {
      candidates.begin(text, runeClass, at, next)
    }
    this.#at = next
    if (candidates.count > 0) this.#settleOrGiveUp(text)
  }

  #settleOrGiveUp(text: TextBuffer): void {
    if (this.#candidates.ends[0] !== NONE) {
      this.#settle(text)
      return
    }
    const start = this.#candidates.starts[0] ?? 0
    const { limit } = this.#options
    if (this.#at - start < limit) return
    // Going on one by one is exact. Where candidate after candidate reaches the limit, that would be slow, and an
    // eighth of the limit is given up at once.
    const stride = Math.max(1, limit >> 3)
    const onward = start - this.#lastGivenUp < stride ? stride : 1
    this.#lastGivenUp = start
    this.#restart(start + onward)
  }

  /** The earliest candidate has matched. */
  #settle(text: TextBuffer): void {
    const start = this.#candidates.starts[0] ?? 0
    const end = this.#candidates.ends[0] ?? 0
    const over = (this.#candidates.states[0] ?? DEAD) === DEAD
    const { verify, limit, early = true } = this.#options
    if (verify) {
      if (over) this.#settleVerified(text, start, verify)
      return
    }
    if (this.#committed) this.#committed.end = end
    else if (early || over) {
      this.#committed = { start, end, open: true }
      this.matches.push(this.#committed)
    }
    // Text that cannot be told apart from the match within the limit counts as part of it.
    const tooLong = this.#at - end >= limit
    if (tooLong && this.#committed) this.#committed.end = this.#at
    else if (tooLong) this.matches.push({ start, end: this.#at, open: false })
    if (!over && !tooLong) return
    if (this.#committed) this.#committed.open = false
    this.#committed = undefined
    this.#restart(tooLong ? this.#at : end)
  }

  #settleVerified(text: TextBuffer, start: number, verify: NonNullable<SearchOptions['verify']>): void {
    const { allEnds } = this.#candidates
    for (let end = allEnds.pop(); end !== undefined; end = allEnds.pop()) {
      if (!verify(text, start, end)) continue
      this.matches.push({ start, end, open: false })
      this.#restart(end)
      return
    }
    this.#restart(start + 1)
  }

  #restart(at: number): void {
    this.#candidates.clear()
    this.#at = at
  }
}

function endsInHalf(text: TextBuffer): boolean {
  return ((text.units[text.end - 1 - text.base] ?? 0) & 0xfc00) === 0xd800
}
