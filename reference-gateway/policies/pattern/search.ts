/**
 * Finds a pattern's matches in a text that arrives in pieces: the same ones as in the whole text, leftmost first, whatever the
 * pieces. Starts that are still under way are followed side by side (two in the same state are one: the earlier), and what
 * lies before the earliest of them is decided: nothing that comes later can change it.
 *
 * A match without verification is announced as soon as its start is certain; its end may still grow. One with verification
 * (a checksum) is announced when it can grow no more: the longest end that verifies, or else the search goes on one further.
 * A start that came to nothing within `limit` characters is given up, so that no text can make a pattern hold more.
 */

import { ACCEPTS, type Automaton, BEFORE, DEAD, ENDED, effort, MATCHED_BEFORE } from './automaton.ts'
import type { TextBuffer } from './text-buffer.ts'

export interface PatternMatch {
  start: number
  end: number
  /** Its end may still grow. */
  open: boolean
}

export interface SearchOptions {
  /** Infinity for none. */
  limit: number
  /** Whether the text from `start` to `end` is what it looks like. */
  verify?: ((text: TextBuffer, start: number, end: number) => boolean) | undefined
  /** False: matches are announced only when they can grow no more. */
  early?: boolean
}

const NONE = -1
/** Says that a search has had its time. */
export type IsOverBudget = () => boolean

export function timeBudget(ms: number): IsOverBudget {
  const deadlineMs = performance.now() + ms
  return () => performance.now() > deadlineMs
}

/** Not by the clock, which also counts what else the machine does: after so many instructions (see automaton.ts). */
export function effortBudget(instructions: number): IsOverBudget {
  const limit = effort.spent + instructions
  return () => effort.spent > limit
}

/** Characters between two questions whether it is over: at most these, of large programs only what takes half a millisecond. */
const SLICE = 2048
const SLICE_INSTRUCTIONS = 50_000

export class PatternSearch {
  /** Announced and not yet taken by the reader. */
  readonly matches: PatternMatch[] = []
  #automaton: Automaton
  readonly #options: SearchOptions
  /** The next character to read. */
  #at = 0
  // The starts under way, earliest first: where, in which state, and where the best match so far ends.
  #starts = new Float64Array(4)
  #states = new Int32Array(4)
  #ends = new Float64Array(4)
  #count = 0
  /** Verification needs every end of the earliest start. */
  #allEnds: number[] = []
  #committed: PatternMatch | undefined
  #lastGivenUp = Number.NEGATIVE_INFINITY
  #marks = new Uint32Array(64)
  #mark = 0

  constructor(automaton: Automaton, options: SearchOptions) {
    this.#automaton = automaton
    this.#options = options
  }

  /** Everything before is final. */
  get settledUpTo(): number {
    if (this.#committed) return this.#committed.end
    return this.#count > 0 ? (this.#starts[0] ?? 0) : this.#at
  }

  /** The first position that must stay in the buffer: the character before what is undecided says what \b means there. */
  get needed(): number {
    return Math.max(0, this.settledUpTo - 1)
  }

  /** Goes on with an equal automaton that has fewer states. */
  moveTo(automaton: Automaton): void {
    if (automaton === this.#automaton) return
    for (let i = 0; i < this.#count; i++) {
      const state = this.#states[i] ?? DEAD
      if (state !== DEAD) this.#states[i] = automaton.adopt(this.#automaton, state)
    }
    this.#automaton = automaton
  }

  /** Reads to the buffer's end. False: `over` said so before that, and the rest is unread. */
  feed(text: TextBuffer, over?: IsOverBudget, last = false): boolean {
    const { length } = this.#automaton.program.instructions
    const slice = Math.min(SLICE, Math.ceil(SLICE_INSTRUCTIONS / length))
    while (this.#at < text.end) {
      const to = over ? Math.min(text.end, this.#at + slice) : text.end
      const before = this.#at
      this.#read(text, to, last)
      // Half a character at the end waits for its other half.
      if (this.#at === before && to === text.end && this.#isHalf(text)) break
      if (over?.()) return false
    }
    return true
  }

  /** The text is complete. */
  finish(text: TextBuffer, over?: IsOverBudget): boolean {
    for (;;) {
      if (!this.feed(text, over, true)) return false
      for (let i = 0; i < this.#count; i++) {
        const state = this.#states[i] ?? DEAD
        if (state !== DEAD && this.#automaton.acceptsAtEnd(state)) this.#accept(i, this.#at)
      }
      const first = this.#ends.subarray(0, this.#count).findIndex((end) => end !== NONE)
      if (first !== NONE) {
        this.#starts[0] = this.#starts[first] ?? 0
        this.#ends[0] = this.#ends[first] ?? 0
        this.#states[0] = DEAD
        this.#count = 1
        this.#settle(text)
      } else if (this.#count > 0 && this.#options.verify) this.#restart((this.#starts[0] ?? 0) + 1)
      else break
    }
    this.#clear()
    return true
  }

  /** Lets what is undecided go: it is no match, whatever comes. */
  release(): void {
    if (!this.#committed) this.#clear()
  }

  #read(text: TextBuffer, to: number, last: boolean): void {
    const automaton = this.#automaton
    const { mayStart } = automaton
    const { ofUnit } = automaton.classes
    while (this.#at < to) {
      const { units, base } = text
      let at = this.#at
      if (this.#count === 0) {
        while (at < to && mayStart[units[at - base] ?? 0] === 0) at++
        this.#at = at
      } else if (this.#count === 1 && this.#ends[0] === NONE && this.#options.verify === undefined) {
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
          runeClass = automaton.classes.ofRune(((unit & 0x3ff) << 10) + (low & 0x3ff) + 0x10000)
          next++
        }
      }
      this.#advance(text, runeClass, at, next)
    }
  }

  /**
   * Reads on while nothing happens: the one start goes on, or ends without a match, and whatever starts later is in the same
   * state. Returns the first position where something does. This is where a text without matches spends its time.
   */
  #readOne(text: TextBuffer, to: number): number {
    const { units, base } = text
    const { steps, flags, startAfter, classes } = this.#automaton
    const { ofUnit, count } = classes
    const start = this.#starts[0] ?? 0
    const upTo = Math.min(to, start + this.#options.limit - 1)
    let at = this.#at
    let state = this.#states[0] ?? DEAD
    // There is a character before: the one that the start began with.
    let fresh = startAfter[ofUnit[units[at - 1 - base] ?? 0] ?? 0] ?? DEAD
    while (at < upTo) {
      const unit = units[at - base] ?? 0
      if ((unit & 0xf800) === 0xd800) break
      const runeClass = ofUnit[unit] ?? 0
      const step = steps[state * count + runeClass] ?? NONE
      const freshStep = steps[fresh * count + runeClass] ?? NONE
      // Not known yet, or a match just before.
      if (step < 0 || freshStep < 0 || (step & MATCHED_BEFORE) !== 0) break
      if (((flags[step >> 1] ?? 0) & ACCEPTS) !== 0) break
      if (freshStep >> 1 !== DEAD && freshStep >> 1 !== step >> 1) break
      at++
      if (step >> 1 === DEAD) {
        this.#count = 0
        this.#at = at
        return at
      }
      state = step >> 1
      fresh = startAfter[runeClass] ?? DEAD
    }
    this.#states[0] = state
    this.#at = at
    return at
  }

  /** Reads one character, of `runeClass`, that goes from `at` to `next`. */
  #advance(text: TextBuffer, runeClass: number, at: number, next: number): void {
    const verified = this.#options.verify !== undefined
    this.#nextMark()
    const wereUnderWay = this.#count
    const first = this.#starts[0] ?? 0
    const found = wereUnderWay > 0 && this.#step(runeClass, at, next, verified)
    if (verified && wereUnderWay > 0) {
      // One start at a time: what begins inside is looked for once this one came to nothing.
      if (this.#count === 0) {
        this.#restart(first + 1)
        return
      }
    } else if (!found && this.#committed === undefined) {
      this.#begin(text, runeClass, at, next)
    }
    this.#at = next
    if (this.#count > 0) this.#settleOrGiveUp(text)
  }

  /** Takes every start one character on. True: one of them has matched. */
  #step(runeClass: number, at: number, next: number, verified: boolean): boolean {
    const automaton = this.#automaton
    const columns = automaton.classes.count
    const starts = this.#starts
    const states = this.#states
    const ends = this.#ends
    const count = this.#count
    let kept = 0
    let found = false
    for (let i = 0; i < count && !found; i++) {
      const start = starts[i] ?? 0
      let state = states[i] ?? DEAD
      let end = ends[i] ?? NONE
      if (state !== DEAD) {
        let step = automaton.steps[state * columns + runeClass] ?? NONE
        if (step === NONE) step = automaton.step(state, runeClass)
        const target = step >> 1
        const flags = automaton.flags[target] ?? 0
        if ((step & MATCHED_BEFORE) !== 0 && at > start && end !== at) {
          end = at
          if (verified) this.#allEnds.push(end)
        }
        if ((flags & ACCEPTS) !== 0) {
          end = next
          if (verified) this.#allEnds.push(end)
        }
        state = (flags & ENDED) !== 0 || !this.#isFirstIn(target) ? DEAD : target
      }
      if (state === DEAD && end === NONE) continue
      starts[kept] = start
      states[kept] = state
      ends[kept] = end
      kept++
      // Whatever starts later lies inside this match, or is looked for again after it.
      found = end !== NONE
    }
    this.#count = kept
    return found
  }

  /** A start at this character, if one can be. */
  #begin(text: TextBuffer, runeClass: number, at: number, next: number): void {
    const automaton = this.#automaton
    const start = automaton.starts[this.#before(text, at)] ?? DEAD
    let step = automaton.steps[start * automaton.classes.count + runeClass] ?? NONE
    if (step === NONE) step = automaton.step(start, runeClass)
    const target = step >> 1
    if (target === DEAD) return
    const flags = automaton.flags[target] ?? 0
    const state = (flags & ENDED) !== 0 || !this.#isFirstIn(target) ? DEAD : target
    const end = (flags & ACCEPTS) !== 0 ? next : NONE
    if (state === DEAD && end === NONE) return
    if (this.#count === 0) {
      this.#allEnds.length = 0
      if (end !== NONE) this.#allEnds.push(end)
    }
    if (this.#count === this.#starts.length) this.#grow()
    this.#starts[this.#count] = at
    this.#states[this.#count] = state
    this.#ends[this.#count] = end
    this.#count++
  }

  #settleOrGiveUp(text: TextBuffer): void {
    if (this.#ends[0] !== NONE) {
      this.#settle(text)
      return
    }
    const start = this.#starts[0] ?? 0
    const { limit } = this.#options
    if (this.#at - start < limit) return
    // One by one is exact; where that goes on and on, it would be slow, and an eighth of the limit is given up at once.
    const stride = Math.max(1, limit >> 3)
    const onward = start - this.#lastGivenUp < stride ? stride : 1
    this.#lastGivenUp = start
    this.#restart(start + onward)
  }

  /** The earliest start has matched. */
  #settle(text: TextBuffer): void {
    const start = this.#starts[0] ?? 0
    const end = this.#ends[0] ?? 0
    const over = (this.#states[0] ?? DEAD) === DEAD
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
    // What could not be told apart from the match within the limit is taken as part of it.
    const tooLong = this.#at - end >= limit
    if (tooLong && this.#committed) this.#committed.end = this.#at
    else if (tooLong) this.matches.push({ start, end: this.#at, open: false })
    if (!over && !tooLong) return
    if (this.#committed) this.#committed.open = false
    this.#committed = undefined
    this.#restart(tooLong ? this.#at : end)
  }

  #settleVerified(
    text: TextBuffer,
    start: number,
    verify: (text: TextBuffer, start: number, end: number) => boolean,
  ): void {
    for (let end = this.#allEnds.pop(); end !== undefined; end = this.#allEnds.pop()) {
      if (!verify(text, start, end)) continue
      this.matches.push({ start, end, open: false })
      this.#restart(end)
      return
    }
    this.#restart(start + 1)
  }

  #accept(i: number, end: number): void {
    this.#ends[i] = end
    this.#states[i] = DEAD
    if (i === 0 && this.#options.verify) this.#allEnds.push(end)
  }

  #restart(at: number): void {
    this.#clear()
    this.#at = at
  }

  #clear(): void {
    this.#count = 0
    if (this.#allEnds.length > 0) this.#allEnds.length = 0
  }

  #grow(): void {
    const [starts, states, ends] = [this.#starts, this.#states, this.#ends]
    this.#starts = new Float64Array(starts.length * 4)
    this.#states = new Int32Array(starts.length * 4)
    this.#ends = new Float64Array(starts.length * 4)
    this.#starts.set(starts)
    this.#states.set(states)
    this.#ends.set(ends)
  }

  /** Whether this is the first start in `state` at this character. */
  #isFirstIn(state: number): boolean {
    if (state >= this.#marks.length) {
      const marks = new Uint32Array(this.#automaton.flags.length)
      marks.set(this.#marks)
      this.#marks = marks
    }
    if (state === DEAD || this.#marks[state] === this.#mark) return false
    this.#marks[state] = this.#mark
    return true
  }

  #nextMark(): void {
    this.#mark++
    if (this.#mark <= 0xffff_fffe) return
    this.#marks.fill(0)
    this.#mark = 1
  }

  #before(text: TextBuffer, at: number): number {
    return at === 0 ? BEFORE.TEXT : this.#automaton.before(text.units[at - 1 - text.base] ?? 0)
  }

  #isHalf(text: TextBuffer): boolean {
    return ((text.units[text.end - 1 - text.base] ?? 0) & 0xfc00) === 0xd800
  }
}
