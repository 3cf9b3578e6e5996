// The sizing profile: what ships is read, a copy with other figures is used, a mistake in it is named.
import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { readSizing } from '../../src/planning/sizing.ts'
import { tempDir } from '../support/temp-dir.ts'

const shipped = new URL('../../profiles/sizing/kong.yaml', import.meta.url)
const dir = tempDir()
afterAll(() => dir.remove())

function changed(from: string, to: string): string {
  const text = readFileSync(shipped, 'utf8')
  expect(text).toContain(from)
  return dir.write('sizing.yaml', text.replace(from, to))
}

test('the shipped profile holds the figures of the page', () => {
  const sizing = readSizing()
  expect(sizing.figures.ratio).toMatchObject({ value: 4, from: 'vendor default' })
  expect(sizing.figures.outputPerWorker.value).toBe(1e6)
  expect(sizing.redundancy).toEqual({ min: 2, max: 4 })
  expect(sizing.container).toMatchObject({
    cpuRequestMillicores: 500,
    cpuLimitMillicores: 2000,
    memoryRequestBytes: 256 * 1024 ** 2,
  })
  expect(sizing.measuredPerWorker.map((worker) => worker.outputTokensPerSec)).toEqual([1_050_000, 780_000])
  expect(sizing.tiers.map(({ name, vcpu }) => [name, vcpu])).toEqual([
    ['Small', 18],
    ['Medium', 100],
    ['Large', 360],
    ['XL', 360],
  ])
  expect(sizing.rpsTiers.tiers.map(({ vcpu, memoryMb, connections }) => [vcpu, memoryMb, connections])).toEqual([
    [0.5, 128, 64],
    [2, 512, 256],
    [4, 1024, 1024],
    [8, 2048, 4096],
  ])
})

test('every figure that ships has a source and the date of it', () => {
  for (const [name, { source, date }] of Object.entries(readSizing().figures)) {
    expect(source.length, name).toBeGreaterThan(5)
    expect(date, name).toMatch(/^20\d\d(?:-\d\d)?$/)
  }
})

test("a user's copy is read", () => {
  expect(readSizing(changed('output_per_worker: 1M', 'output_per_worker: 750k')).figures.outputPerWorker.value).toBe(
    750_000,
  )
})

test.each([
  ['network:', 'netwerk:', "unknown key 'netwerk' (did you mean 'network'?)"],
  [
    'output_per_worker: 1M',
    'output_per_worker: 1MB',
    "'1MB' is not a number such as '250', '4.5' or '80M' (it is a size in bytes)",
  ],
  ['output_per_worker: 1M', 'output_per_worker: 0', 'must be above 0'],
  ['redundancy: { min: 2, max: 4 }', 'redundancy: { min: 5, max: 4 }', 'min must not be above max'],
  ['entities: 500', 'entities: 50', 'tiers must ascend in every dimension'],
  ['target_utilisation: 0.7', 'target_utilisation: 70', 'target_utilisation'],
])('%s written as %s is refused', (from, to, message) => {
  const path = changed(from, to)
  let refusal: unknown
  try {
    readSizing(path)
  } catch (error) {
    refusal = error
  }
  expect(refusal).toBeInstanceOf(UserError)
  expect((refusal as UserError).message).toContain(message)
  expect((refusal as UserError).message).toContain(path)
})
