// Tiers of Kong's page: lower bound inclusive, XL strictly above, the highest over the dimensions decides.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseRpsTier, chooseTier } from '../../src/plan/tier.ts'
import { readSizing } from '../../src/planning/sizing.ts'

const { tiers, rpsTiers } = readSizing()
const M = 1e6
const tier = (input: number, output: number, entities?: number) => chooseTier(demand(input, output, entities), tiers)

function demand(inputTokensPerSec: number, outputTokensPerSec: number, entities?: number) {
  return { inputTokensPerSec, outputTokensPerSec, ...(entities === undefined ? {} : { entities }) }
}

test.each([
  [10 * M - 1, 'Small'],
  [10 * M, 'Medium'],
  [60 * M - 1, 'Medium'],
  [60 * M, 'Large'],
  [200 * M, 'Large'],
  [200 * M + 1, 'XL'],
])('input %d tokens/s is %s', (input, name) => {
  expect(tier(input, 1).tier.name).toBe(name)
})

test.each([
  [2 * M - 1, 'Small'],
  [2 * M, 'Medium'],
  [10 * M, 'Large'],
  [40 * M, 'Large'],
  [40 * M + 1, 'XL'],
])('output %d tokens/s is %s', (output, name) => {
  expect(tier(1, output).tier.name).toBe(name)
})

test.each([
  [99, 'Small'],
  [100, 'Medium'],
  [500, 'Large'],
  [2_000, 'Large'],
  [2_001, 'XL'],
])('%d entities are %s', (entities, name) => {
  expect(tier(1, 1, entities).tier.name).toBe(name)
})

test('80M in and 10M out are Large, decided by both', () => {
  const choice = tier(80 * M, 10 * M)
  expect(choice.tier.name).toBe('Large')
  expect(choice.decidedBy).toEqual(['inputTokensPerSec', 'outputTokensPerSec'])
})

test('the dimension that reaches highest decides alone', () => {
  expect(tier(1 * M, 1 * M, 3_000)).toMatchObject({ tier: { name: 'XL' }, decidedBy: ['entities'] })
  expect(tier(1 * M, 11 * M, 3)).toMatchObject({ tier: { name: 'Large' }, decidedBy: ['outputTokensPerSec'] })
})

test.each([
  [9.9, 'Light'],
  [10, 'Medium'],
  [100, 'Heavy'],
  [1_000, 'Heavy'],
  [1_000.1, 'Extreme'],
])('%d requests/s are %s', (rps, name) => {
  expect(chooseRpsTier(rps, rpsTiers.tiers).name).toBe(name)
})

test('a larger demand is never in a smaller tier', () => {
  const tokens = fc.double({ min: 1, max: 1e9, noNaN: true })
  const entities = fc.integer({ min: 1, max: 10_000 })
  fc.assert(
    fc.property(tokens, tokens, entities, tokens, (input, output, count, more) => {
      const before = tiers.indexOf(tier(input, output, count).tier)
      expect(tiers.indexOf(tier(input + more, output, count).tier)).toBeGreaterThanOrEqual(before)
      expect(tiers.indexOf(tier(input, output + more, count).tier)).toBeGreaterThanOrEqual(before)
    }),
  )
})
