import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { collect } from '../../src/system/helper-threads.ts'

const run = promisify(execFile)

describe('collect', () => {
  test('takes what nobody holds any more, and leaves what somebody holds', async () => {
    const held = { bytes: new Uint8Array(1_000) }
    const references = [held, { bytes: new Uint8Array(1_000) }].map((object) => new WeakRef(object))
    // A reference that was made or asked in this turn of the loop keeps its object until the turn ends.
    await delay(1)
    collect()
    expect(references.map((reference) => reference.deref() !== undefined)).toEqual([true, false])
    expect(held.bytes.length).toBe(1_000)
  })

  test('works in many threads at once', async () => {
    const codes = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const thread = new Worker(join(import.meta.dirname, 'collecting-thread.ts'))
        const [code] = await once(thread, 'exit')
        return code
      }),
    )
    expect(codes).toEqual(Array(8).fill(0))
  })
})

test('collectOnlyWhenFull: no collection for little garbage, and none for having nothing to do', async () => {
  const collections = async (...words: string[]): Promise<{ busy: number; idle: number }> => {
    // How far a heap may grow V8 decides by the speed of the machine; where there is little garbage, not even this far.
    const flags = ['--heap-growing-percent=30']
    const { stdout } = await run(process.execPath, [...flags, join(import.meta.dirname, 'thread.ts'), ...words])
    return JSON.parse(stdout)
  }
  const [before, after] = await Promise.all([collections(), collections('full-only')])
  expect(before.busy).toBeGreaterThan(0)
  expect(before.idle).toBeGreaterThan(0)
  expect(after).toEqual({ busy: 0, idle: 0 })
})
