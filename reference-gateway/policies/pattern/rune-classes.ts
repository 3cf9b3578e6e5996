/**
 * Groups characters that a program cannot tell apart into classes, so that the automaton's table has a column for each
 * class instead of one for each character. A class holds either only word characters or none (for \b), and the line
 * feed has a class of its own.
 */
import { folds, type Instruction, isRune, OP } from './program.ts'

const MAX_RUNE = 0x10ffff
const LF = 10

export type IsWord = (rune: number) => boolean

export interface RuneClasses {
  count: number
  /** The class of each UTF-16 unit. */
  ofUnit: Uint16Array
  /** The class of a character that takes two units. */
  ofRune(rune: number): number
  /** One character of each class. */
  samples: Int32Array
}

/** RE2's own definition: ASCII. */
export const isAsciiWord: IsWord = (rune) =>
  (rune >= 48 && rune <= 57) || (rune >= 65 && rune <= 90) || rune === 95 || (rune >= 97 && rune <= 122)

/** `wordCuts` holds the first characters of the runs in which `isWord` is constant. */
export function classify(
  instructions: readonly Instruction[],
  isWord: IsWord,
  wordCuts: readonly number[],
): RuneClasses {
  const readers = instructions.filter(({ op }) => isRune(op) && op < OP.ANY)
  const cuts = new Set<number>([0, LF, LF + 1, 0x10000, ...wordCuts])
  const distinct = new Map<string, Instruction>()
  for (const reader of readers) {
    distinct.set(`${folds(reader)}:${reader.runes.join()}`, reader)
  }
  for (const reader of distinct.values()) addCuts(reader, cuts)
  const starts = Int32Array.from([...cuts].filter((rune) => rune <= MAX_RUNE)).sort()
  const ids = new Map<string, number>()
  const samples: number[] = []
  const classOfStart = Uint16Array.from(starts, (rune) => {
    let signature = isWord(rune) ? 'w' : rune === LF ? 'n' : '.'
    for (const reader of distinct.values()) signature += reader.matchRune(rune) ? '1' : '0'
    const known = ids.get(signature)
    if (known !== undefined) return known
    ids.set(signature, samples.length)
    return samples.push(rune) - 1
  })
  const ofUnit = new Uint16Array(0x10000)
  starts.forEach((from, i) => {
    if (from <= 0xffff) ofUnit.fill(classOfStart[i] ?? 0, from, Math.min(starts[i + 1] ?? 0x10000, 0x10000))
  })
  return {
    count: samples.length,
    ofUnit,
    ofRune: (rune) => classOfStart[lastAtMost(starts, rune)] ?? 0,
    samples: Int32Array.from(samples),
  }
}

function addCuts(reader: Instruction, cuts: Set<number>): void {
  const { runes } = reader
  const single = runes.length === 1
  for (let i = 0; i < runes.length; i += 2) {
    cuts.add(runes[i] ?? 0).add((runes[single ? i : i + 1] ?? 0) + 1)
  }
  if (!folds(reader)) return
  for (const rune of sameWithoutCase(runes[0] ?? 0)) cuts.add(rune).add(rune + 1)
}

let byUpperCase: Map<string, number[]> | undefined

/** Characters that may equal `rune` where case does not matter. The instruction itself decides which of them do. */
function sameWithoutCase(rune: number): readonly number[] {
  if (!byUpperCase) {
    byUpperCase = new Map()
    for (let one = 0; one <= 0x1ffff; one++) {
      const text = String.fromCodePoint(one)
      const upper = text.toUpperCase()
      if (upper === text && text.toLowerCase() === text) continue
      for (const key of new Set([upper, text.toLowerCase().toUpperCase()])) {
        const same = byUpperCase.get(key)
        if (same) same.push(one)
        else byUpperCase.set(key, [one])
      }
    }
  }
  return byUpperCase.get(String.fromCodePoint(rune).toUpperCase()) ?? [rune]
}

function lastAtMost(sorted: Int32Array, value: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((sorted[middle] ?? 0) <= value) low = middle
    else high = middle - 1
  }
  return low
}
