// What each detector finds, and what it leaves alone.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keywordRule } from '../../../reference-gateway/policies/kinds/keywords.ts'
import { isIban, PII_KINDS, type PiiKind, passesLuhn, piiRules } from '../../../reference-gateway/policies/kinds/pii.ts'
import { compileProgram } from '../../../reference-gateway/policies/pattern/program.ts'
import { TextBuffer } from '../../../reference-gateway/policies/pattern/text-buffer.ts'
import { PatternRule } from '../../../reference-gateway/policies/policy/pattern-rule.ts'

function found(rule: PatternRule | undefined, text: string): string[] {
  const search = rule?.search(Number.POSITIVE_INFINITY, false)
  search?.finish(TextBuffer.of(text))
  return search?.matches.map(({ start, end }) => text.slice(start, end)) ?? []
}

const finds: Record<PiiKind, string[]> = {
  email: ['bob@example.com', 'a.b+c_d%e-f@mail.sub-domain.example.co.uk'],
  phone: ['+1 (415) 555-2671', '415-555-2671', '(415) 555-2671', '1-800-555-0199', '+49 30 901820', '+442071838750'],
  card: ['4111111111111111', '4111 1111 1111 1111', '5500-0055-5555-5559', '378282246310005', '6011000990139424'],
  ssn: ['078-05-1120', '219 09 9999'],
  iban: ['DE89370400440532013000', 'GB29 NWBK 6016 1331 9268 19', 'NO9386011117947'],
  api_key: [
    `sk-${'aB3'.repeat(8)}`,
    `sk-proj-${'x_-9'.repeat(10)}`,
    'AKIAIOSFODNN7EXAMPLE',
    `ghp_${'a1'.repeat(18)}`,
    `xoxb-${'1234567890'.repeat(2)}`,
    `AIza${'Sy_-a'.repeat(7)}`,
    // Split, so that no secret scanner takes it for a real key.
    `sk_${'live'}_${'a1'.repeat(12)}`,
  ],
}

const leaves: Record<PiiKind, string[]> = {
  email: ['bob@localhost', '@example.com', 'a @ b.com', 'x@y.1'],
  phone: ['1762317021', '2026-11-23', '127.0.0.1', '3.14159 26535', '555-2671'],
  card: ['4111111111111112', '0000000000000000', '41111111111111112222', '1234567890'],
  ssn: ['000-12-3456', '666-12-3456', '912-12-3456', '078-00-1120', '078-05-0000', '1078-05-1120', '078051120'],
  iban: ['DE89370400440532013001', 'de89370400440532013000', 'ABCD 1234'],
  api_key: ['task-force-of-twenty-people-and-more', 'sk-short', 'AKIA123', 'ghp_short'],
}

test.each(PII_KINDS)('%s: finds its kind inside a sentence, and nothing else', (kind) => {
  const [rule] = piiRules([kind], undefined)
  for (const text of finds[kind]) expect(found(rule, `It is ${text}, is it not? (${text})`), text).toEqual([text, text])
  for (const text of leaves[kind]) expect(found(rule, `It is ${text}, is it not?`), text).toEqual([])
})

test('a pattern’s prefix is what all its matches begin with', () => {
  const prefixes: Record<string, string> = {
    '-----BEGIN (?:[A-Z]{1,16} ){0,3}KEY': '-----BEGIN ',
    '\\bSECRET-\\d+': 'SECRET-',
    '(abc)+x': 'abc',
    'abc|abd': 'ab',
    'abc|xyz': '',
    '(?i)abc': '',
    'a?bc': '',
    '[ab]c': '',
    '.abc': '',
    '😀x?': '😀',
  }
  for (const [pattern, prefix] of Object.entries(prefixes)) expect(compileProgram(pattern).prefix, pattern).toBe(prefix)
  const rule = new PatternRule('-----BEGIN (?:RSA )?KEY', { replacement: '' })
  expect(rule.mayMatch('nothing of that kind')).toBe(false)
  expect(rule.mayMatch('x -----BEGIN RSA KEY')).toBe(true)
})

test('cards: a number inside of a longer group of digits, next to letters, after another number', () => {
  const [rule] = piiRules(['card'], undefined)
  expect(found(rule, 'Visa4111111111111111USD')).toEqual(['4111111111111111'])
  expect(found(rule, '1234 4111111111111111')).toEqual(['4111111111111111'])
  expect(found(rule, '4111111111111111 and 4111111111111111')).toHaveLength(2)
})

test('checksums', () => {
  expect(passesLuhn('79927398713')).toBe(true)
  expect(passesLuhn('79927398710')).toBe(false)
  expect(isIban('GB82WEST12345698765432')).toBe(true)
  expect(isIban('GB82WEST12345698765433')).toBe(false)
})

test('keywords: whole words of any script, in any case; phrases over line breaks', () => {
  const options = { caseSensitive: false, wholeWords: true, replacement: '' }
  const rule = keywordRule({ ...options, words: ['größe', 'top secret', 'c++', 'пароль'] })
  expect(found(rule, 'GRÖßE größer Top\n  SECRET c++, Пароль, паролью topsecret')).toEqual([
    'GRÖßE',
    'Top\n  SECRET',
    'c++',
    'Пароль',
  ])
  const inside = keywordRule({ ...options, wholeWords: false, caseSensitive: true, words: ['cat'] })
  expect(found(inside, 'concatenate Cat')).toEqual(['cat'])
})

test('the hint never hides what the search would find', () => {
  const words = ['Sk', 'top secret', 'c++', 'launch code']
  const options = { caseSensitive: false, wholeWords: true, replacement: '', words }
  const rules = [
    ...piiRules(PII_KINDS, undefined),
    keywordRule(options),
    keywordRule({ ...options, wholeWords: false }),
  ]
  const samples = [
    ...Object.values(finds).flat(),
    '\u017f\u212a',
    'TOP\nSECRET',
    'C++',
    'Launch  Code',
    '+1.(2).(3).4567',
    '1-(800) 555-0199',
  ]
  const noise = fc.constantFrom(' ', '.', '-', '(', ')', '+', '1', '0', 'A', 'z', '@', '\n', 'é', '')
  const text = fc.array(fc.oneof(noise, fc.constantFrom(...samples)), { maxLength: 12 }).map((all) => all.join(''))
  let matched = 0
  const property = fc.property(text, (whole) => {
    for (const rule of rules) {
      if (found(rule, whole).length === 0) continue
      matched++
      expect(rule.mayMatch(whole), whole).toBe(true)
    }
  })
  fc.assert(property, { numRuns: 2_000 })
  expect(matched).toBeGreaterThan(1_000)
})

test('the longest match of a pattern is known, and re2js’s programs have the form that the automaton reads', () => {
  const longest = (source: string): number => compileProgram(source).longest
  expect(longest('ab?c{2,4}')).toBe(6)
  expect(longest('(?:abc|\\d{3}-\\d{5})x')).toBe(10)
  expect(longest('a+')).toBe(Number.POSITIVE_INFINITY)
  expect(longest('[😀-😂]')).toBe(2)
  expect(() => compileProgram('a*')).toThrow('matches where there is no text')
  expect(() => compileProgram('(?=a)')).toThrow()
  expect(() => compileProgram('(a)\\1')).toThrow()
})
