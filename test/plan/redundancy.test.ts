// A redundancy factor taken apart: whole workers in whole zones, and a product that says what the parts say.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { takeApart } from '../../src/plan/redundancy.ts'

const none = { factor: 1, why: 'a test' }

test('30 workers over 3 zones, one of them lost, planned to 70 %: 25 in each, 94 while deploying', () => {
  // 30 / 0.7 = 42.9 -> 43; one more 44; 44 / 2 = 22 a zone; 66; a quarter more 82.5 -> 83
  const apart = takeApart(30, { zones: 3, zonesLost: 1, surge: 0.25, targetUtilisation: 0.7 }, none, none)
  expect(apart).toMatchObject({ perZone: 22, steadyWorkers: 66, workers: 83 })
  expect(apart.parts.map(({ name }) => name)).toEqual([
    'burst',
    'uncertainty',
    'target utilisation',
    'one more',
    'zone loss',
    'deploy surge',
  ])
})

test('nothing asked for leaves the workers and one more', () => {
  expect(takeApart(30, { zones: 1, zonesLost: 0, surge: 0, targetUtilisation: 1 }, none, none)).toMatchObject({
    steadyWorkers: 31,
  })
})

const parts = fc.record({
  zones: fc.integer({ min: 2, max: 6 }),
  zonesLost: fc.integer({ min: 0, max: 1 }),
  surge: fc.double({ min: 0, max: 1, noNaN: true }),
  targetUtilisation: fc.double({ min: 0.1, max: 1, noNaN: true }),
})

test('the zones that are left carry the load without the one worker more; the parts multiply to the product', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 10_000, noNaN: true }),
      parts,
      fc.double({ min: 1, max: 5, noNaN: true }),
      (raw, p, burst) => {
        const apart = takeApart(raw, p, { factor: burst, why: '' }, none)
        const left = apart.perZone * (p.zones - p.zonesLost)
        expect(left - 1).toBeGreaterThanOrEqual(((raw * burst) / p.targetUtilisation) * (1 - 1e-9))
        expect(apart.workers).toBeGreaterThanOrEqual(apart.steadyWorkers)
        const carried = Math.ceil((raw * burst) / p.targetUtilisation - 1e-9)
        const product = apart.parts.reduce((sum, { factor }) => sum * factor, 1)
        // The product of the parts starts at the whole number of workers that carry the load.
        expect(product / ((apart.workers / carried) * (burst / p.targetUtilisation))).toBeCloseTo(1, 6)
      },
    ),
  )
})
