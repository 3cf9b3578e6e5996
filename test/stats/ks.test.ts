// The distance of two distributions: none to itself, the whole to one that lies apart, and the known one of a shift.
import { expect, test } from 'vitest'
import { Histogram } from '../../src/stats/histogram.ts'
import { ksDistance } from '../../src/stats/ks.ts'

const of = (values: number[]): Histogram => {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}
const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i)

test('none to itself, also of another count; the whole where none overlaps', () => {
  expect(ksDistance(of(upTo(100)), of(upTo(100)))).toBe(0)
  expect(ksDistance(of([5, 9]), of([5, 5, 9, 9]))).toBe(0)
  expect(ksDistance(of(upTo(10)), of(upTo(10, 100)))).toBe(1)
})

test('a shift by a fifth of a uniform distribution is a distance of a fifth', () => {
  expect(ksDistance(of(upTo(100)), of(upTo(100, 20)))).toBeCloseTo(0.2, 9)
  expect(ksDistance(of(upTo(100, 20)), of(upTo(100)))).toBeCloseTo(0.2, 9)
})

test('extremes within a slot are no distance', () => {
  expect(ksDistance(of([100_000, 100_000]), of([50_000, 100_000, 100_020, 150_000]))).toBeCloseTo(0.25, 9)
})

test('nothing is no distance', () => {
  expect(ksDistance(of([]), of([1]))).toBeNaN()
})
