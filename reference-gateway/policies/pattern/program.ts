/**
 * A pattern in RE2's syntax as the list of instructions that re2js compiles it to. The automaton (automaton.ts) runs
 * these instructions instead of re2js's own matcher, because a matcher cannot say whether the end of an incomplete text
 * could still grow into a match. The package is pinned, and a test checks the form of its programs.
 */
import { RE2JS } from 're2js'

/** Opcodes of re2js's instructions. ALT_MATCH and the look-behinds never appear in the accepted patterns. */
export const OP = {
  ALT: 1,
  CAPTURE: 3,
  EMPTY: 4,
  FAIL: 5,
  MATCH: 6,
  NOP: 7,
  RUNE: 8,
  RUNE1: 9,
  ANY: 10,
  ANY_NOT_NL: 11,
}
/** The conditions of an EMPTY instruction, as bits of its `arg`. */
export const EMPTY = { BEGIN_LINE: 1, END_LINE: 2, BEGIN_TEXT: 4, END_TEXT: 8, WORD_BOUNDARY: 16, NO_WORD_BOUNDARY: 32 }
const FOLD_CASE = 1
/** With more instructions one character could take too long: some 20,000 take 0.2 ms. */
const MAX_INSTRUCTIONS = 20_000

export interface Instruction {
  op: number
  out: number
  /** ALT: the second branch. EMPTY: the conditions. RUNE: flags. */
  arg: number
  /** RUNE: ranges, first and last alternating; a single value for one character. */
  runes: Int32Array
  matchRune(rune: number): boolean
}

export interface Program {
  source: string
  instructions: readonly Instruction[]
  start: number
  /** The longest match in UTF-16 units; Infinity where there is no limit. */
  longest: number
  /** What every match begins with, character by character; empty where matches begin differently. */
  prefix: string
}

/** Throws an Error that says what is wrong with `source`. */
export function compileProgram(source: string): Program {
  const compiled = RE2JS.compile(source)
  const { inst, start } = compiled.re2().prog as { inst: Instruction[]; start: number }
  if (inst.length > MAX_INSTRUCTIONS) throw new Error('the pattern is too large')
  if (compiled.matches('')) throw new Error('the pattern matches where there is no text')
  return { source, instructions: inst, start, longest: longestMatch(inst, start), prefix: findPrefix(inst, start) }
}

export function isRune(op: number): boolean {
  return op >= OP.RUNE && op <= OP.ANY_NOT_NL
}

export function folds(instruction: Instruction): boolean {
  return instruction.runes.length === 1 && (instruction.arg & FOLD_CASE) !== 0
}

/** The longest path through the instructions, counted in characters; a loop makes it infinite. */
function longestMatch(instructions: readonly Instruction[], start: number): number {
  const known = new Map<number, number>()
  const OPEN = -1
  // Depth first without recursion, since long alternatives are deep.
  const stack: number[] = [start]
  while (stack.length > 0) {
    const at = stack.at(-1) ?? 0
    const instruction = instructions[at]
    if (!instruction || known.has(at) !== (known.get(at) === OPEN)) {
      stack.pop()
      continue
    }
    const { op, out, arg } = instruction
    if (op === OP.MATCH || op === OP.FAIL) {
      known.set(at, 0)
      continue
    }
    const next = op === OP.ALT ? [out, arg] : [out]
    if (!known.has(at)) {
      known.set(at, OPEN)
      for (const one of next) {
        if (known.get(one) === OPEN) return Number.POSITIVE_INFINITY
        if (!known.has(one)) stack.push(one)
      }
      continue
    }
    known.set(at, Math.max(...next.map((one) => known.get(one) ?? 0)) + width(instruction))
    stack.pop()
  }
  return known.get(start) ?? 0
}

/** Conditions (\b, ^) read no character: the prefix goes on behind them. */
function findPrefix(instructions: readonly Instruction[], start: number): string {
  let prefix = ''
  for (let instruction = instructions[start]; instruction; instruction = instructions[instruction.out]) {
    const { op, runes } = instruction
    if (op === OP.CAPTURE || op === OP.NOP || op === OP.EMPTY) continue
    if (!isRune(op) || op >= OP.ANY || runes.length !== 1 || folds(instruction)) break
    prefix += String.fromCodePoint(runes[0] ?? 0)
  }
  return prefix
}

function width({ op, runes }: Instruction): number {
  if (!isRune(op)) return 0
  return op === OP.ANY || op === OP.ANY_NOT_NL || (runes.at(-1) ?? 0) > 0xffff ? 2 : 1
}

/** What is wrong with `source`, if anything. */
export function checkPattern(source: string): string | undefined {
  try {
    compileProgram(source)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
