import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { collect } from '../../src/system/collect.ts'

test('what nobody holds any more is gone after it, what somebody holds is not', async () => {
  const held = { bytes: new Uint8Array(1_000) }
  const references = [held, { bytes: new Uint8Array(1_000) }].map((object) => new WeakRef(object))
  // A reference that was made or asked in this turn of the loop keeps its object until the turn ends.
  await delay(1)
  collect()
  expect(references.map((reference) => reference.deref() !== undefined)).toEqual([true, false])
  expect(held.bytes.length).toBe(1_000)
})

test('a program does not see a collector because of it', () => {
  collect()
  expect((globalThis as { gc?: unknown }).gc).toBeUndefined()
})
