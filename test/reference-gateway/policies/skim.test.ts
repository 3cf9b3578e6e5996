// Detectors that may skip text: their tables say where matches begin, and a stream that was skimmed finds what one that
// was read in full finds.
import { expect, test } from 'vitest'
import { PII_KINDS, piiRules } from '../../../reference-gateway/policies/kinds/pii.ts'

const startersOf = (kind: (typeof PII_KINDS)[number]) => {
  const [rule] = piiRules([kind], undefined)
  if (!rule) throw new Error(`no rule for ${kind}`)
  return rule.starters
}
const letters = (table: Uint8Array) =>
  [...table.entries()].flatMap(([unit, may]) => (may ? [String.fromCharCode(unit)] : [])).join('')

test('a key begins where a word does, and with few letters; an address begins anywhere in a word', () => {
  expect(letters(startersOf('api_key').elsewhere)).toBe('Aghprsx')
  expect(letters(startersOf('api_key').inside)).toBe('')
  expect(letters(startersOf('email').inside)).toBe(letters(startersOf('email').elsewhere))
  expect(letters(startersOf('email').inside)).toContain('xyz')
})

test('no table leaves out a character with which a match begins', () => {
  const examples = {
    email: 'ann@x.org',
    phone: '+1 202 555 0143',
    card: '4111 1111 1111 1111',
    ssn: '078-05-1120',
    iban: 'GB82 WEST 1234 5698 7654 32',
    api_key: 'sk-abcdefghijklmnopqrst1234',
  }
  for (const kind of PII_KINDS) {
    expect([kind, startersOf(kind).elsewhere[examples[kind].charCodeAt(0)]]).toEqual([kind, 1])
  }
})
