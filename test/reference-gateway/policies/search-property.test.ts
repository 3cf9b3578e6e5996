// The search in pieces against re2js on the whole text.
import fc from 'fast-check'
import { RE2JS } from 're2js'
import { expect, test } from 'vitest'
import { Automaton } from '../../../reference-gateway/policies/pattern/automaton.ts'
import { compileProgram } from '../../../reference-gateway/policies/pattern/program.ts'
import { PatternSearch } from '../../../reference-gateway/policies/pattern/search.ts'
import { TextBuffer } from '../../../reference-gateway/policies/pattern/text-buffer.ts'

const atom = fc.constantFrom(
  'a',
  'b',
  'c',
  '.',
  '[ab]',
  '[^a]',
  '\\w',
  '\\b',
  '\\B',
  '^',
  '$',
  '(?m:^)',
  '(?i:A)',
  'é',
  '😀',
  '\\n',
)
const pattern = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    atom,
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('node'), fc.constantFrom('?', '+', '*', '??', '+?', '{1,3}'))
      .map(([a, quantity]) => `(?:${a})${quantity}`),
  ),
})).node
const text = fc.array(fc.constantFrom(...'aabbcA \né😀'), { maxLength: 16 }).map((all) => all.join(''))

function automatonOf(source: string): Automaton | undefined {
  try {
    return new Automaton(compileProgram(source))
  } catch {
    // It matches the empty text, or nests repeats beyond what RE2 accepts.
    return undefined
  }
}

function expected(source: string, whole: string): [number, number][] {
  const matcher = RE2JS.compile(source).matcher(whole)
  const all: [number, number][] = []
  while (matcher.find()) if (matcher.end() > matcher.start()) all.push([matcher.start(), matcher.end()])
  return all
}

test('property: any pattern on any text in any pieces finds what re2js finds in the whole text', () => {
  const property = fc.property(
    pattern,
    text,
    fc.array(fc.nat(32), { maxLength: 6 }),
    fc.boolean(),
    (source, whole, cuts, early) => {
      const automaton = automatonOf(source)
      // A pattern that can match nothing where \b or ^ holds skips texts that it could also match.
      fc.pre(automaton !== undefined && !matchesNothing(source))
      if (!automaton) return
      const search = new PatternSearch(automaton, { limit: Number.POSITIVE_INFINITY, early })
      const buffer = new TextBuffer(1)
      let at = 0
      for (const cut of [...cuts.sort((a, b) => a - b), whole.length]) {
        if (cut > whole.length || cut < at) continue
        buffer.append(whole.slice(at, cut))
        at = cut
        search.feed(buffer)
        buffer.drop(search.needed)
      }
      search.finish(buffer)
      expect(search.matches.map(({ start, end }) => [start, end])).toEqual(expected(source, whole))
    },
  )
  // Which way comes first hangs on a condition.
  fc.assert(property, { numRuns: 500, examples: [['[^a](?:(?:\\b|.))+', 'c ', [], false]] })
})

function matchesNothing(source: string): boolean {
  const matcher = (whole: string) => RE2JS.compile(source).matcher(whole)
  return ['', 'a', 'a a', '\n', 'a\na', ' ', 'é', 'ab'].some((whole) => {
    const found = matcher(whole)
    while (found.find()) if (found.start() === found.end()) return true
    return false
  })
}

test('linear: eight times the text takes eight times the work, not sixty-four times', () => {
  const automaton = new Automaton(compileProgram('(a+)+b|(?:x?){20}x{20}y'))
  /** Of this process: what else the machine does is not in it. */
  const cpuTimeOf = (length: number): number => {
    const search = new PatternSearch(automaton, { limit: 4_096 })
    const before = process.cpuUsage()
    search.finish(TextBuffer.of('a'.repeat(length)))
    return process.cpuUsage(before).user
  }
  cpuTimeOf(20_000)
  expect(cpuTimeOf(400_000) / cpuTimeOf(50_000)).toBeLessThan(24)
})

test('an automaton with too many states is replaced in the middle of a text', () => {
  const source = '(?:a|b)*a(?:a|b){14}c'
  let automaton = new Automaton(compileProgram(source))
  const search = new PatternSearch(automaton, { limit: Number.POSITIVE_INFINITY, early: false })
  const buffer = new TextBuffer()
  let seed = 1
  const whole = Array.from({ length: 30_000 }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return 'ab'[seed >>> 31]
  }).join('')
  let renewed = 0
  for (let at = 0; at < whole.length; at += 50) {
    buffer.append(whole.slice(at, at + 50))
    search.feed(buffer)
    if (!automaton.full) continue
    renewed++
    automaton = automaton.renewed()
    search.moveTo(automaton)
  }
  const rest = `${'a'.repeat(15)}c--`
  buffer.append(rest)
  search.finish(buffer)
  expect(search.matches.map(({ start, end }) => [start, end])).toEqual([[0, whole.length + 16]])
  expect(renewed).toBeGreaterThan(0)
})
