import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalCdf } from '../../src/stats/distributions.ts'
import { randomFrom } from '../../src/stats/random.ts'
import {
  drawTokens,
  MAX_TOKENS,
  meanTokens,
  parseDistribution,
  type TokenDistribution,
} from '../../src/workload/distribution.ts'

const tokens = fc.integer({ min: 1, max: MAX_TOKENS })
const plain = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((value) => Number(value.toFixed(6)))
const distributions: fc.Arbitrary<TokenDistribution> = fc.oneof(
  tokens.map((value) => ({ kind: 'constant' as const, value })),
  fc.record({ kind: fc.constant('normal' as const), mean: plain(1, 1e6), sd: plain(0, 1e6) }),
  fc.record({ kind: fc.constant('lognormal' as const), mu: plain(0, 14), sigma: plain(0, 5) }),
  fc.tuple(tokens, tokens).map(([a, b]) => ({ kind: 'uniform' as const, min: Math.min(a, b), max: Math.max(a, b) })),
)

function written(distribution: TokenDistribution): string {
  switch (distribution.kind) {
    case 'constant':
      return String(distribution.value)
    case 'normal':
      return `normal(${distribution.mean},${distribution.sd})`
    case 'lognormal':
      return `lognormal(${distribution.mu},${distribution.sigma})`
    case 'uniform':
      return `uniform(${distribution.min},${distribution.max})`
  }
}

function parsed(text: string): TokenDistribution {
  const result = parseDistribution(text)
  if (!result.ok) throw new Error(result.why)
  return result.value
}

describe('a distribution of tokens', () => {
  it.each([
    ['500', { kind: 'constant', value: 500 }],
    ['2k', { kind: 'constant', value: 2_000 }],
    ['normal(500,100)', { kind: 'normal', mean: 500, sd: 100 }],
    [' LogNormal( 6.6 , .98 ) ', { kind: 'lognormal', mu: 6.6, sigma: 0.98 }],
    ['uniform(100, 1k)', { kind: 'uniform', min: 100, max: 1_000 }],
  ])('reads %s', (text, distribution) => {
    expect(parseDistribution(text)).toEqual({ ok: true, value: distribution })
  })

  it.each([
    ['', 'is not a count such as'],
    ['many', "'many' is not a count such as '500', or normal(500,100)"],
    ['0', 'must be a whole number from 1 to 2,000,000, not 0'],
    ['-5', 'not -5'],
    ['1.5', 'whole number'],
    ['3M', 'not 3M'],
    ['gamma(1,2)', "'gamma(1,2)' is not"],
    ['normal(500)', "normal takes two numbers, 'normal(500)' has 1"],
    ['normal(500,1,2)', 'has 3'],
    ['normal(500,x)', "normal takes two numbers, and 'x' is none"],
    ['normal(0.2,1)', 'the mean of normal(mean,sd) must be from 1'],
    ['normal(500,-1)', 'standard deviation of normal(mean,sd) must not be negative, and is -1'],
    ['lognormal(6.6,-0.98)', 'the sigma of lognormal(mu,sigma) must not be negative, and is -0.98'],
    ['lognormal(6.6,9)', 'at most 5'],
    ['lognormal(-1,1)', 'the mu of lognormal(mu,sigma) must not be negative'],
    ['lognormal(735,0.98)', 'for a median of 735 tokens write lognormal(6.6,0.98)'],
    ['uniform(900,100)', 'ends below its beginning'],
    ['uniform(0,100)', 'the lower end of uniform(min,max)'],
    ['uniform(1,1x9)', "'1x9' is none"],
    ['normal(500,100', 'is not a count'],
  ])('refuses %s, and says why', (text, why) => {
    expect(parseDistribution(text)).toMatchObject({ ok: false, why: expect.stringContaining(why) })
  })

  it('reads any of them as it is written', () => {
    fc.assert(
      fc.property(distributions, (distribution) => {
        expect(parseDistribution(written(distribution))).toEqual({ ok: true, value: distribution })
      }),
    )
  })

  it('answers any text, and never throws', () => {
    const pieces = fc.constantFrom(
      'normal',
      'lognormal',
      'uniform',
      '(',
      ')',
      ',',
      '-',
      '.',
      '1',
      '500',
      '9k',
      ' ',
      'e',
      'x',
    )
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseDistribution(text)
        if (parsed.ok) expect(drawTokens(parsed.value, randomFrom(1))).toBeGreaterThanOrEqual(1)
        else expect(parsed.why).not.toBe('')
      }),
      { numRuns: 500 },
    )
  })

  it('draws whole numbers within bounds, the same for the same seed', () => {
    fc.assert(
      fc.property(distributions, fc.nat(), (distribution, seed) => {
        const drawn = drawTokens(distribution, randomFrom(seed))
        expect(Number.isInteger(drawn) && drawn >= 1 && drawn <= MAX_TOKENS).toBe(true)
        expect(drawTokens(distribution, randomFrom(seed))).toBe(drawn)
      }),
    )
  })

  // The mean of a whole number from 1 to `most` is the sum of P(N > k) for k from 0 below `most`.
  const exactMean = (atLeast: (tokens: number) => number, most: number): number =>
    Array.from({ length: most - 1 }, (_, i) => atLeast(i + 1.5)).reduce((sum, share) => sum + share, 1)

  it.each([
    ['normal(500,100)', MAX_TOKENS],
    ['normal(100,500)', MAX_TOKENS],
    ['normal(500,100)', 450],
    ['lognormal(6.6,0.98)', MAX_TOKENS],
    ['lognormal(1,1.5)', MAX_TOKENS],
    ['lognormal(13,3)', MAX_TOKENS],
    ['lognormal(6.6,0.98)', 300],
  ])('%s cut at %d has exactly the mean it is said to have', (text, most) => {
    const distribution = parsed(text)
    if (distribution.kind !== 'normal' && distribution.kind !== 'lognormal') throw new Error('not read')
    const atLeast = (tokens: number): number =>
      distribution.kind === 'normal'
        ? normalCdf((distribution.mean - tokens) / distribution.sd)
        : normalCdf((distribution.mu - Math.log(tokens)) / distribution.sigma)
    const exact = exactMean(atLeast, most)
    expect(Math.abs(meanTokens(distribution, most) / exact - 1)).toBeLessThan(0.002)
  })

  it.each([
    ['500', MAX_TOKENS, 500],
    ['500', 100, 100],
    ['normal(500,0)', MAX_TOKENS, 500],
    ['lognormal(6.907755,0)', MAX_TOKENS, 1_000],
    ['uniform(100,900)', MAX_TOKENS, 500],
    ['uniform(1,10)', 8, (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 * 3) / 10],
    ['uniform(100,900)', 50, 50],
  ])('%s cut at %d has the mean %d', (text, most, mean) => {
    const distribution = parsed(text)
    expect(meanTokens(distribution, most)).toBeCloseTo(mean, 9)
  })

  it.each(['normal(500,100)', 'normal(10,500)', 'lognormal(6.6,0.98)', 'uniform(100,900)', '500'])(
    '%s is drawn with that mean',
    (text) => {
      const distribution = parsed(text)
      const random = randomFrom('mean')
      let total = 0
      for (let i = 0; i < 50_000; i++) total += drawTokens(distribution, random)
      expect(Math.abs(total / 50_000 / meanTokens(distribution) - 1)).toBeLessThan(0.03)
    },
  )
})
