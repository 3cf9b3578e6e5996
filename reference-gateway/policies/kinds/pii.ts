/**
 * Personal data and credentials. Patterns use RE2's syntax; what a pattern cannot tell (checksums, numbers that were
 * never issued) is verified in code. Every pattern is bounded, so that a stream holds only a few characters: digits for
 * cards and numbers, the last word for e-mail, the prefix for keys.
 */
import { z } from 'zod'
import type { TextBuffer } from '../pattern/text-buffer.ts'
import { PatternRule, type RuleOptions } from '../policy/pattern-rule.ts'
import type { PolicyKind } from '../policy/policy.ts'
import { judgeByRules } from '../policy/rules.ts'

/** \b between digits and anything else: 'card4111…' is found, and one digit more makes another number. */
const DIGITS = { isWord: (rune: number) => rune >= 48 && rune <= 57, cuts: [48, 58] }
/** \b as in RE2, but '_' and '-' belong to the word: 'task-force' does not begin with 'sk-'. */
const TOKENS = {
  isWord: (rune: number) =>
    (rune >= 48 && rune <= 57) ||
    (rune >= 65 && rune <= 90) ||
    (rune >= 97 && rune <= 122) ||
    rune === 95 ||
    rune === 45,
  cuts: [45, 46, 48, 58, 65, 91, 95, 96, 97, 123],
}

const KEYS = [
  'sk-[A-Za-z0-9_-]{20,200}',
  '[rsp]k_(?:live|test)_[A-Za-z0-9]{16,128}',
  '(?:AKIA|ASIA)[0-9A-Z]{16}',
  'AIza[0-9A-Za-z_-]{35}',
  'gh[pousr]_[A-Za-z0-9]{36,251}',
  'github_pat_[A-Za-z0-9_]{22,255}',
  'glpat-[A-Za-z0-9_-]{20,64}',
  'xox[abeoprs]-[A-Za-z0-9-]{10,250}',
  'hf_[A-Za-z0-9]{30,64}',
]
/** How each key begins. */
const KEY_BEGINNINGS = /sk-|[rsp]k_|AKIA|ASIA|AIza|gh[pousr]_|github_|glpat-|xox|hf_/

interface PiiPattern extends Omit<RuleOptions, 'replacement'> {
  pattern: string
}

const PII_PATTERNS = {
  email: { pattern: '[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\\.)+[A-Za-z]{2,24}', limit: 320, hint: /@/ },
  phone: {
    pattern:
      '\\+\\d{1,3}(?:[ .-]?(?:\\(\\d{1,4}\\)|\\d{1,4})){2,6}\\b|' +
      '(?:\\b1[ .-])?(?:\\b\\d{3}[ .-]|\\(\\d{3}\\) ?)\\d{3}[ .-]\\d{4}\\b',
    verify: (text, start, end) => digitsOf(text, start, end).length >= 8 && digitsOf(text, start, end).length <= 15,
    word: DIGITS,
    // Eight digits, with no more between two of them than ') (' is.
    hint: /\d(?:[ .()-]{0,3}\d){7}/,
  },
  card: {
    pattern: '\\b\\d(?:[ -]?\\d){12,18}\\b',
    verify: (text, start, end) => passesLuhn(digitsOf(text, start, end)),
    word: DIGITS,
    hint: /\d(?:[ -]?\d){12}/,
  },
  ssn: {
    pattern: '\\b\\d{3}-\\d{2}-\\d{4}\\b|\\b\\d{3} \\d{2} \\d{4}\\b',
    verify: (text, start, end) => isSocialSecurityNumber(digitsOf(text, start, end)),
    word: DIGITS,
    hint: /\d{3}[ -]\d{2}[ -]\d{4}/,
  },
  iban: {
    pattern: '\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]){11,30}\\b',
    verify: (text, start, end) => isIban(text.slice(start, end).replaceAll(' ', '')),
    hint: /[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11}/,
  },
  api_key: { pattern: `\\b(?:${KEYS.join('|')})`, word: TOKENS, hint: KEY_BEGINNINGS },
} satisfies Record<string, PiiPattern>

export const PII_KINDS = Object.keys(PII_PATTERNS) as (keyof typeof PII_PATTERNS)[]
export type PiiKind = keyof typeof PII_PATTERNS

const schema = z.strictObject({ detect: z.array(z.enum(PII_KINDS)).min(1).optional() })

export const pii: PolicyKind<'pii', typeof schema> = {
  name: 'pii',
  schema,
  compile: ({ detect = PII_KINDS, replacement }) => judgeByRules(piiRules(detect, replacement)),
}

/** Where `replacement` is undefined, '[REDACTED:<kind>]' is used. */
export function piiRules(kinds: readonly PiiKind[], replacement: string | undefined): PatternRule[] {
  return kinds.map((kind) => {
    const { pattern, ...options }: PiiPattern = PII_PATTERNS[kind]
    return new PatternRule(pattern, { ...options, replacement: replacement ?? `[REDACTED:${kind}]` })
  })
}

function digitsOf(text: TextBuffer, start: number, end: number): string {
  return text.slice(start, end).replaceAll(/\D/g, '')
}

/** ISO/IEC 7812-1, annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    sum += i % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9
  }
  // A row of zeros passes the sum, and is no card.
  return sum > 0 && sum % 10 === 0
}

/** Areas 000, 666 and 900-999, group 00 and serial 0000 were never issued. */
function isSocialSecurityNumber(digits: string): boolean {
  const area = digits.slice(0, 3)
  return area !== '000' && area !== '666' && area < '900' && digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000'
}

/** ISO 13616: the first four characters moved to the end, letters as numbers from 10, modulo 97 leaves 1. */
export function isIban(compact: string): boolean {
  if (compact.length < 15 || compact.length > 34) return false
  let rest = 0
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}
