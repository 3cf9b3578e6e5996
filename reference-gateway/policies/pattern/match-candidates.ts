/**
 * The places of a text where a match may have begun and is still undecided, the earliest first. All of them are
 * followed side by side, one character at a time. Of two candidates in the same state only the earlier one is kept:
 * whatever follows, both would end together.
 */
import { ACCEPTS, type Automaton, BEFORE, DEAD, ENDED, MATCHED_BEFORE } from './automaton.ts'
import type { TextBuffer } from './text-buffer.ts'

/** No match so far (of an end), no step made so far (of a step). */
export const NONE = -1
/** So many candidates are compared with each other; most texts never have more. */
const FEW = 4

export class MatchCandidates {
  /** Of each candidate: where it begins, the automaton's state, and where its best match so far ends. */
  starts = new Float64Array(4)
  states = new Int32Array(4)
  ends = new Float64Array(4)
  count = 0
  /** Every end of the earliest candidate, for verification. Empty where nothing is verified. */
  readonly allEnds: number[] = []
  automaton: Automaton
  readonly #verified: boolean
  /** By state, where there are many: the mark of the last character at which a candidate was in it. */
  #marks: Uint32Array | undefined
  #mark = 0
  /** At this character there are many. */
  #areMany = false

  constructor(automaton: Automaton, verified: boolean) {
    this.automaton = automaton
    this.#verified = verified
  }

  clear(): void {
    this.count = 0
    if (this.allEnds.length > 0) this.allEnds.length = 0
  }

  /** Continues with an equal automaton that has fewer states. */
  moveTo(automaton: Automaton): void {
    for (let i = 0; i < this.count; i++) {
      const state = this.states[i] ?? DEAD
      if (state !== DEAD) this.states[i] = automaton.adopt(this.automaton, state)
    }
    this.automaton = automaton
  }

  /** Call before the first `step` or `begin` of a character. */
  nextCharacter(): void {
    this.#areMany = this.count > FEW
    if (!this.#areMany) return
    this.#mark++
    if (this.#mark <= 0xffff_fffe) return
    this.#marks?.fill(0)
    this.#mark = 1
  }

  /** Takes every candidate one character on, from `at` to `next`. True: one of them has matched. */
  step(runeClass: number, at: number, next: number): boolean {
    const { automaton, starts, states, ends, count } = this
    const columns = automaton.classes.count
    const verified = this.#verified
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
          if (verified) this.allEnds.push(end)
        }
        if ((flags & ACCEPTS) !== 0) {
          end = next
          if (verified) this.allEnds.push(end)
        }
        state = (flags & ENDED) !== 0 || !this.#isFirstIn(target, kept) ? DEAD : target
      }
      if (state === DEAD && end === NONE) continue
      starts[kept] = start
      states[kept] = state
      ends[kept] = end
      kept++
      // A later candidate lies inside this match, or is looked for again after it.
      found = end !== NONE
    }
    this.count = kept
    return found
  }

  /** Adds a candidate that begins with the character from `at` to `next`, if a match can begin there. */
  begin(text: TextBuffer, runeClass: number, at: number, next: number): void {
    const { automaton } = this
    const start = automaton.starts[this.#before(text, at)] ?? DEAD
    let step = automaton.steps[start * automaton.classes.count + runeClass] ?? NONE
    if (step === NONE) step = automaton.step(start, runeClass)
    const target = step >> 1
    if (target === DEAD) return
    const flags = automaton.flags[target] ?? 0
    const state = (flags & ENDED) !== 0 || !this.#isFirstIn(target, this.count) ? DEAD : target
    const end = (flags & ACCEPTS) !== 0 ? next : NONE
    if (state === DEAD && end === NONE) return
    if (this.count === 0) {
      this.allEnds.length = 0
      if (end !== NONE) this.allEnds.push(end)
    }
    if (this.count === this.starts.length) this.#grow()
    this.starts[this.count] = at
    this.states[this.count] = state
    this.ends[this.count] = end
    this.count++
  }

  /** The text ends at `end`. True: the earliest candidate that matches is now the only one. */
  finish(end: number): boolean {
    for (let i = 0; i < this.count; i++) {
      const state = this.states[i] ?? DEAD
      if (state !== DEAD && this.automaton.acceptsAtEnd(state)) this.#accept(i, end)
    }
    const first = this.ends.subarray(0, this.count).findIndex((one) => one !== NONE)
    if (first < 0) return false
    this.starts[0] = this.starts[first] ?? 0
    this.ends[0] = this.ends[first] ?? 0
    this.states[0] = DEAD
    this.count = 1
    return true
  }

  #accept(i: number, end: number): void {
    this.ends[i] = end
    this.states[i] = DEAD
    if (i === 0 && this.#verified) this.allEnds.push(end)
  }

  #grow(): void {
    const { starts, states, ends } = this
    this.starts = new Float64Array(starts.length * 4)
    this.states = new Int32Array(starts.length * 4)
    this.ends = new Float64Array(starts.length * 4)
    this.starts.set(starts)
    this.states.set(states)
    this.ends.set(ends)
  }

  /** Whether no candidate of the first `count` is in `state` at this character. */
  #isFirstIn(state: number, count: number): boolean {
    if (state === DEAD) return false
    if (!this.#areMany) {
      for (let i = 0; i < count; i++) if (this.states[i] === state) return false
      return true
    }
    if (state >= (this.#marks?.length ?? 0)) {
      const grown = new Uint32Array(this.automaton.flags.length)
      if (this.#marks) grown.set(this.#marks)
      this.#marks = grown
    }
    if (this.#marks?.[state] === this.#mark) return false
    if (this.#marks) this.#marks[state] = this.#mark
    return true
  }

  #before(text: TextBuffer, at: number): number {
    return at === 0 ? BEFORE.TEXT : this.automaton.before(text.units[at - 1 - text.base] ?? 0)
  }
}
