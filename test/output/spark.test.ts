// Small pictures in characters: bars in eighths, intervals beside a limit, numbers below them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { axis, bars, fitCells, intervalBar, scaleTop } from '../../src/output/spark.ts'

describe('bars', () => {
  it('rise in eighths of a line, the least of them seen, and nothing where there is no value', () => {
    expect(bars([0, 1, 4, 8, null, 16], 8, 1)).toEqual(['▁▁▄█ █'])
    expect(bars([0, 1, 4, 8, null, 16], 8, 2)).toEqual(['   █ █', '▁▂██ █'])
    expect(bars([0, 0], 0, 1)).toEqual(['▁▁'])
  })

  it('never lose a line of height, whatever they show', () => {
    const cells = fc.array(fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })))
    fc.assert(
      fc.property(cells, fc.integer({ min: 1, max: 4 }), (values, rows) => {
        const lines = bars(values, scaleTop(values), rows)
        expect(lines.map((line) => line.length)).toEqual(Array.from({ length: rows }, () => values.length))
      }),
    )
  })

  it('of more values than columns fold them, and leave out what has none', () => {
    const most = (values: readonly number[]): number => Math.max(...values)
    expect(fitCells([1, 2, 3, null, null, null, 9], 3, most)).toEqual({ cells: [3, null, 9], each: 3 })
    expect(fitCells([1, 2], 10, most)).toEqual({ cells: [1, 2], each: 1 })
  })

  it('one stall does not flatten the others', () => {
    expect(scaleTop([10, 11, 12, 900, null])).toBe(48)
    expect(scaleTop([10, 11, 12])).toBe(12)
    expect(scaleTop([null])).toBe(0)
  })
})

describe('an interval', () => {
  const scale = { from: 0, to: 10, width: 11 }

  it.each([
    [{ value: 3, low: 1, high: 5 }, ' ╶─●─╴ ┃   '],
    [{ value: 3, low: 1, high: 9 }, ' ╶─●───╂─╴ '],
    [{ value: 3, low: 1, high: Number.POSITIVE_INFINITY }, ' ╶─●───╂──→'],
    [{ value: 30, low: 8, high: 90 }, '       ┃╶─→'],
    [{ value: null, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }, '←──────╂──→'],
  ])('%j beside a limit of 7', (interval, drawn) => {
    expect(intervalBar(interval, 7, scale)).toBe(drawn)
  })

  it('has its numbers below it, and none that would touch another', () => {
    const marks = [
      { at: 7, text: '7 ms' },
      { at: 0, text: '0' },
      { at: 10, text: '10.5' },
    ]
    expect(axis(marks, { from: 0, to: 10, width: 31 })).toBe('0                  7 ms    10.5')
    expect(axis(marks, scale)).toBe('0    7 ms')
  })
})
