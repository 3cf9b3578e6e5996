// Axes of bytes have steps that are round in the units they are written in.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteScale } from '../../src/plots/byte-axis.ts'

const [KIB, MIB, GIB] = [1_024, 1_024 ** 2, 1_024 ** 3]

test.each([
  { values: [450 * MIB, 500 * MIB], from: 0, scale: { min: 0, max: 600 * MIB, interval: 200 * MIB } },
  { values: [450 * MIB, 500 * MIB], scale: { min: 450 * MIB, max: 500 * MIB, interval: 50 * MIB } },
  { values: [3 * GIB], from: 0, scale: { min: 0, max: 3 * GIB, interval: GIB } },
  { values: [0, 9 * KIB], from: 0, scale: { min: 0, max: 10 * KIB, interval: 5 * KIB } },
  { values: [0], from: 0, scale: { min: 0, max: 1, interval: 1 } },
])('of $values from $from it is $scale', ({ values, from, scale }) => {
  expect(byteScale(values, from)).toEqual(scale)
})

test('without values there is none', () => {
  expect(byteScale([], 0)).toBeUndefined()
})

test('all values are within, in few steps', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 31 - 1), { minLength: 1 }), fc.boolean(), (values, fromZero) => {
      const scale = byteScale(values, fromZero ? 0 : undefined)
      if (!scale) throw new Error('there are values')
      expect(scale.min).toBeLessThanOrEqual(Math.min(...values))
      expect(scale.max).toBeGreaterThanOrEqual(Math.max(...values))
      expect((scale.max - scale.min) / scale.interval).toBeLessThanOrEqual(6)
      expect(scale.max).toBeGreaterThan(scale.min)
    }),
  )
})
