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

describe('collectOnlyWhenFull', () => {
  const traced = async (flags: string[], ...words: string[]): Promise<string> => {
    const { stdout } = await run(process.execPath, [...flags, join(import.meta.dirname, 'thread.ts'), ...words])
    return stdout
  }

  test('a thread that is started after it is not collected for having little to do', async () => {
    /** How many threads V8 asks after a collection whether they have memory to give back. */
    const asked = async (...words: string[]): Promise<number> => {
      const flags = ['--trace-memory-reducer', '--gc-memory-reducer-start-delay-ms=100']
      return new Set((await traced(flags, ...words)).match(/^\[\d+:\S+(?=\].*Memory reducer)/gm)).size
    }
    const [before, after] = await Promise.all([asked(), asked('full-only')])
    expect(before - after).toBe(1)
  })

  test('it may grow to four times what is alive', async () => {
    const factor = async (...words: string[]): Promise<number> =>
      Number((await traced(['--trace-gc-verbose'], ...words)).match(/(?<=HeapController\] factor )\S+/g)?.at(-1))
    const [before, after] = await Promise.all([factor(), factor('full-only')])
    expect([before < 4, after]).toEqual([true, 4])
  })
})
