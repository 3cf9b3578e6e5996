import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { collect } from '../../src/system/heap.ts'

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

  test('leaves no collector for others to find', () => {
    collect()
    expect((globalThis as { gc?: unknown }).gc).toBeUndefined()
  })
})

describe('collectOnlyWhenFull', () => {
  /** How many threads V8 asks after a collection whether they have memory to give back. */
  async function askedThreads(...words: string[]): Promise<number> {
    const flags = ['--trace-memory-reducer', '--gc-memory-reducer-start-delay-ms=100']
    const { stdout } = await run(process.execPath, [...flags, join(import.meta.dirname, 'idle-thread.ts'), ...words])
    return new Set(stdout.match(/^\[\d+:\S+(?=\].*Memory reducer)/gm)).size
  }

  test('a thread that is started after it is not collected for having little to do', async () => {
    const [before, after] = await Promise.all([askedThreads(), askedThreads('full-only')])
    expect(before - after).toBe(1)
  })
})
