// Durations come from the one monotonic clock. The wall clock is for stamps: `new Date().toISOString()`, and whole
// seconds of the epoch where a wire format wants them.
import { expect, test } from 'vitest'
import { importGraph, sourceWithoutTypes } from '../support/imports.ts'

const EPOCH_SECONDS = /Math\.floor\(Date\.now\(\) \/ 1_?000\)/g
const WALL_CLOCK = /Date\.now\b|\.getTime\(|\.valueOf\(/

function wallClockLines(source: string): string[] {
  return source
    .replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
    .replaceAll(EPOCH_SECONDS, '')
    .split('\n')
    .filter((line) => WALL_CLOCK.test(line))
}

test('nothing takes a duration from the wall clock', () => {
  const found = [...importGraph('src', 'reference-gateway').keys()].flatMap((file) =>
    wallClockLines(sourceWithoutTypes(file)).map((line) => `${file}: ${line.trim()}`),
  )
  expect(found).toEqual([])
})

test('the check can fail', () => {
  expect(wallClockLines('const ms = Date.now() - start')).toHaveLength(1)
  expect(wallClockLines('const created = Math.floor(Date.now() / 1_000)\n// Date.now() - start')).toEqual([])
})
