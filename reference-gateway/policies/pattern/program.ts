/**
 * A pattern in RE2's syntax as a list of instructions: what re2js compiles it to. The automaton (automaton.ts) runs these
 * instead of re2js's own matcher, because only an automaton says what no matcher does: whether the end of a text that is not
 * yet complete could still grow into a match. The package is pinned, and a test holds its shape.
 */
import { RE2JS } from 're2js'

/** Opcodes of re2js's instructions. ALT_MATCH and the look-behinds are never compiled from what is accepted here. */
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
/** What an EMPTY instruction may ask for, as bits of its `arg`. */
export const EMPTY = { BEGIN_LINE: 1, END_LINE: 2, BEGIN_TEXT: 4, END_TEXT: 8, WORD_BOUNDARY: 16, NO_WORD_BOUNDARY: 32 }
const FOLD_CASE = 1
/** Above it one character could take too long: some 20,000 instructions are 0.2 ms. */
const MAX_INSTRUCTIONS = 20_000

export interface Instruction {
  op: number
  out: number
  /** ALT: the second way. EMPTY: what is asked for. RUNE: flags. */
  arg: number
  /** RUNE: ranges, first and last alternating; a single one where it is one character. */
  runes: Int32Array
  matchRune(rune: number): boolean
}

export interface Program {
  source: string
  instructions: readonly Instruction[]
  start: number
  /** Characters (UTF-16) of the longest match; Infinity where there is none. */
  longest: number
  /** What every match begins with, character by character; empty where matches begin in different ways. */
  prefix: string
}

/** Throws an Error that says what is wrong with `source`. */
export function compileProgram(source: string): Program {
  const compiled = RE2JS.compile(source)
  const { inst, start } = compiled.re2().prog as { inst: Instruction[]; start: number }
  if (inst.length > MAX_INSTRUCTIONS) throw new Error('the pattern is too large')
  if (compiled.matches('')) throw new Error('the pattern matches where there is no text')
  return { source, instructions: inst, start, longest: longestMatch(inst, start), prefix: prefixOf(inst, start) }
}

export function isRune(op: number): boolean {
  return op >= OP.RUNE && op <= OP.ANY_NOT_NL
}

export function folds(instruction: Instruction): boolean {
  return instruction.runes.length === 1 && (instruction.arg & FOLD_CASE) !== 0
}

/** The longest way through the instructions, counted in characters; a loop makes it endless. */
function longestMatch(instructions: readonly Instruction[], start: number): number {
  const known = new Map<number, number>()
  const OPEN = -1
  // Depth first without recursion: long alternatives are deep.
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

/** Conditions (\b, ^) take no character: what follows them must still be there. */
function prefixOf(instructions: readonly Instruction[], start: number): string {
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
