/**
 * The deterministic automaton of a program, made state by state as texts need it. A state is the list of instructions
 * that are under way, the preferred first (RE2's leftmost-first rule: what follows a match in the list is cut off), and
 * the kind of the character before, where the program asks for it (\b, ^). There the list is kept as it was before
 * anything was followed, and is followed anew once the next character is known: which of two ways comes first may hang
 * on a condition, as in (?:\b|.)+. Time is linear in the text, whatever the
 * pattern: a step is one look into a table, or, the first time, at most one pass over the program.
 */
import { EMPTY, type Instruction, isRune, OP, type Program } from './program.ts'
import { classify, type IsWord, isAsciiWord, type RuneClasses } from './rune-classes.ts'

/**
 * The cost of making steps since the start, in instructions visited: each is some ten nanoseconds. Known steps cost
 * nothing.
 */
export const effort = { spent: 0 }

/** State 0: no match can follow. */
export const DEAD = 0
/** Bit 0 of a step: the text before the character just read is a match. The other bits are the next state. */
export const MATCHED_BEFORE = 1
/** Flags of a state. ACCEPTS: what was read is a match. ENDED: and it cannot grow. */
export const ACCEPTS = 1
export const ENDED = 2

/** The kind of the character before, which decides \b, ^ and \A. */
export const BEFORE = { TEXT: 0, LINE: 1, WORD: 2, OTHER: 3 } as const
const UNKNOWN = -1
const MAX_STATES = 10_000
const ASCII_WORD_CUTS = [48, 58, 65, 91, 95, 96, 97, 123]

export class Automaton {
  readonly program: Program
  readonly classes: RuneClasses
  readonly isWord: IsWord
  readonly #wordCuts: readonly number[]
  /** 1 for each UTF-16 unit that a match can begin with (or that is half a character). */
  readonly mayStart = new Uint8Array(0x10000)
  /** The state before the first character, by the kind of the character before. */
  readonly starts: readonly number[]
  /** The same, by the class of the character before. */
  readonly startAfter: Int32Array
  /** steps[state * classes.count + class]; UNKNOWN where the step was never made: call `step`. */
  steps: Int32Array
  flags: Uint8Array
  #lists: Int32Array[] = []
  #ids = new Map<string, number>()
  readonly #looksBack: boolean
  readonly #seen: Uint32Array
  #pass = 0

  constructor(program: Program, isWord: IsWord = isAsciiWord, wordCuts: readonly number[] = ASCII_WORD_CUTS) {
    this.program = program
    this.isWord = isWord
    this.#wordCuts = wordCuts
    this.classes = classify(program.instructions, isWord, wordCuts)
    this.#looksBack = program.instructions.some(({ op }) => op === OP.EMPTY)
    this.#seen = new Uint32Array(program.instructions.length)
    this.steps = new Int32Array(64 * this.classes.count).fill(UNKNOWN)
    this.flags = new Uint8Array(64)
    this.#intern([], BEFORE.OTHER)
    this.starts = [BEFORE.TEXT, BEFORE.LINE, BEFORE.WORD, BEFORE.OTHER].map((before) =>
      this.#intern([program.start], before),
    )
    this.startAfter = Int32Array.from(this.classes.samples, (rune) => this.starts[this.before(rune)] ?? DEAD)
    this.#findStarters()
  }

  /** It has so many states that a new automaton should replace it. */
  get full(): boolean {
    return this.#lists.length > MAX_STATES
  }

  get states(): number {
    return this.#lists.length
  }

  /** An equal automaton without states. */
  renewed(): Automaton {
    return new Automaton(this.program, this.isWord, this.#wordCuts)
  }

  /** The state of this automaton that equals `state` of `other`, an automaton of the same program. */
  adopt(other: Automaton, state: number): number {
    const list = other.#lists[state] ?? new Int32Array(1)
    return this.#intern([...list.subarray(1)], list[0] ?? BEFORE.OTHER)
  }

  /** The kind that a character is for the character after it. */
  before(rune: number): number {
    return rune === 10 ? BEFORE.LINE : this.isWord(rune) ? BEFORE.WORD : BEFORE.OTHER
  }

  /** The same as `steps`; makes the step where it is unknown. */
  step(state: number, runeClass: number): number {
    const at = state * this.classes.count + runeClass
    const known = this.steps[at] ?? UNKNOWN
    if (known !== UNKNOWN) return known
    const rune = this.classes.samples[runeClass] ?? 0
    const { list, matched } = this.#resolved(state, rune)
    const next: number[] = []
    for (const pc of list) {
      const instruction = this.program.instructions[pc]
      if (instruction && isRune(instruction.op) && reads(instruction, rune)) next.push(instruction.out)
    }
    effort.spent += list.length
    const target = this.#intern([...new Set(next)], this.before(rune))
    const made = (target << 1) | (matched ? MATCHED_BEFORE : 0)
    this.steps[at] = made
    return made
  }

  /** Whether what was read is a match if the text ends here. */
  acceptsAtEnd(state: number): boolean {
    return ((this.flags[state] ?? 0) & ACCEPTS) !== 0 || this.#resolved(state, undefined).matched
  }

  /** The state's list once the next character is known (undefined: the text ends). */
  #resolved(state: number, rune: number | undefined): { list: readonly number[]; matched: boolean } {
    const list = this.#lists[state]
    if (!list) return { list: [], matched: false }
    if (!this.#looksBack) return { list: [...list.subarray(1)], matched: false }
    const before = list[0] ?? BEFORE.OTHER
    const wordNext = rune !== undefined && this.isWord(rune)
    const met =
      (before === BEFORE.TEXT ? EMPTY.BEGIN_TEXT | EMPTY.BEGIN_LINE : 0) |
      (before === BEFORE.LINE ? EMPTY.BEGIN_LINE : 0) |
      (rune === undefined ? EMPTY.END_TEXT | EMPTY.END_LINE : rune === 10 ? EMPTY.END_LINE : 0) |
      ((before === BEFORE.WORD) === wordNext ? EMPTY.NO_WORD_BOUNDARY : EMPTY.WORD_BOUNDARY)
    return this.#closure([...list.subarray(1)], met)
  }

  /**
   * The instructions that can read next from `from` on, the preferred first. Conditions that `met` lacks stay in the
   * list.
   */
  #closure(from: readonly number[], met: number): { list: number[]; matched: boolean } {
    this.#pass++
    const list: number[] = []
    const stack = [...from].reverse()
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      const instruction = this.program.instructions[pc]
      effort.spent++
      if (!instruction || this.#seen[pc] === this.#pass) continue
      this.#seen[pc] = this.#pass
      const { op, out, arg } = instruction
      if (op === OP.MATCH) {
        list.push(pc)
        return { list, matched: true }
      }
      if (op === OP.ALT) stack.push(arg, out)
      else if (op === OP.CAPTURE || op === OP.NOP) stack.push(out)
      else if (op === OP.EMPTY) {
        if ((arg & ~met) === 0) stack.push(out)
        else list.push(pc)
      } else if (op !== OP.FAIL) list.push(pc)
    }
    return { list, matched: false }
  }

  /** The state in which the instructions of `from` are under way. */
  #intern(from: readonly number[], before: number): number {
    const { list } = this.#closure(from, 0)
    const isDead = list.length === 0
    const kind = this.#looksBack && !isDead ? before : BEFORE.OTHER
    const kept = this.#looksBack && !isDead ? from : list
    const key = `${kind}:${kept.join()}`
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#lists.push(Int32Array.of(kind, ...kept)) - 1
    this.#ids.set(key, id)
    if (id >= this.flags.length) this.#grow()
    const accepts = list.some((pc) => this.program.instructions[pc]?.op === OP.MATCH)
    const ended = accepts && list.length === 1
    this.flags[id] = (accepts ? ACCEPTS : 0) | (ended ? ENDED : 0)
    return id
  }

  /** Whether a match can begin with this ASCII character, behind one of these kinds of characters. */
  mayStartAfter(before: ReadonlySet<number>, unit: number): boolean {
    const runeClass = this.classes.ofUnit[unit] ?? 0
    return [...before].some((kind) => this.step(this.starts[kind] ?? DEAD, runeClass) >> 1 !== DEAD)
  }

  #findStarters(): void {
    const { count, ofUnit } = this.classes
    const starters = Uint8Array.from({ length: count }, (_, one) =>
      this.starts.some((start) => this.step(start, one) >> 1 !== DEAD) ? 1 : 0,
    )
    for (let unit = 0; unit <= 0xffff; unit++) {
      this.mayStart[unit] = (unit & 0xf800) === 0xd800 ? 1 : (starters[ofUnit[unit] ?? 0] ?? 0)
    }
  }

  #grow(): void {
    const flags = new Uint8Array(this.flags.length * 2)
    flags.set(this.flags)
    this.flags = flags
    const steps = new Int32Array(flags.length * this.classes.count).fill(UNKNOWN)
    steps.set(this.steps)
    this.steps = steps
  }
}

function reads(instruction: Instruction, rune: number): boolean {
  if (instruction.op === OP.ANY) return true
  if (instruction.op === OP.ANY_NOT_NL) return rune !== 10
  return instruction.matchRune(rune)
}
