// Several rounds of a figure, by known values.
import { expect, test } from 'vitest'
import { lowestOf, pairedDifference, summarise } from './summary.ts'

test('a median and its range, of odd and even rounds', () => {
  expect(summarise([3, 1, 2])).toEqual({ median: 2, lowest: 1, highest: 3 })
  expect(summarise([4, 1, 2, 3])).toEqual({ median: 2.5, lowest: 1, highest: 4 })
})

test('nine differences: the second and the eighth, which hold the median at 96 %', () => {
  const own = [5, 5, 5, 5, 5, 5, 5, 5, 5]
  const peer = [4, 6, 3, 7, 2, 8, 1, 9, 5]
  expect(pairedDifference(own, peer)).toEqual({ median: 0, lower: -3, upper: 3 })
})

test('one disturbed round moves no end of it', () => {
  const own = [1, 2, 3, 4, 5, 6, 7, 8, 900]
  expect(pairedDifference(own, new Array(9).fill(0))).toEqual({ median: 5, lower: 2, upper: 8 })
})

test('five rounds have a median and no interval', () => {
  const difference = pairedDifference([1, 2, 3, 4, 5], [0, 0, 0, 0, 0])
  expect(difference).toEqual({ median: 3, lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY })
})

test('the best peer is the one with the lowest median', () => {
  expect(lowestOf({ oha: [1, 9, 9], vegeta: [2, 2, 9] })).toBe('vegeta')
  expect(lowestOf({})).toBeUndefined()
})
