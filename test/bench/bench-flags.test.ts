// Flags of `kt bench` that have two names.
import { Parser } from '@oclif/core'
import { expect, test } from 'vitest'
import { pacingFlags } from '../../src/bench/bench-flags.ts'

test.each([
  ['--rehearsal', true],
  ['--jit-warmup', true],
  ['--no-rehearsal', false],
  ['--no-jit-warmup', false],
])('%s', async (typed, expected) => {
  const { flags } = await Parser.parse([typed], { flags: pacingFlags, strict: true })
  expect(flags.rehearsal).toBe(expected)
})
