// What real-time scheduling is for: requests leave in time on a machine whose cores are all taken several times over.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { expect, it } from 'vitest'
import { startRun } from '../../src/load/run.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { median } from '../../src/stats/means.ts'
import { mayRunRealtime } from '../../src/system/realtime.ts'
import { planFor } from '../support/engine.ts'
import { quickProvider } from '../support/provider.ts'

const right = mayRunRealtime()
/** The name of the test says why it is skipped. */
const skipped = right.ok ? '' : ` (skipped: ${right.why})`

it.runIf(right.ok)(`requests leave in time though every core is taken six times over${skipped}`, async () => {
  const provider = await quickProvider()
  // Each ends by itself too, whatever becomes of the test.
  const busy = 'for (const end = Date.now() + 120_000; Date.now() < end; );'
  const loops = Array.from({ length: 6 * availableParallelism() }, () => spawn(process.execPath, ['-e', busy]))
  const tell = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const loop of loops) loop.kill(signal)
  }
  tell('SIGSTOP')
  const lateUs = async (realtime: boolean): Promise<number> => {
    const load = { mode: 'open', rps: 100, maxInFlight: 300 } as const
    const plan = planFor(provider.url, { load, requests: 150, warmup: 20, realtime })
    // The thread starts before, which would take it, and other tests, several times as long as the requests do.
    const record = await (await startRun(plan, { progress: () => tell('SIGCONT') })).result
    tell('SIGSTOP')
    expect(record.runtime.fifoPriority).toBe(realtime ? 1 : null)
    return Histogram.unpack(record.sendLag).quantileUs(0.9)
  }
  const [ordinary, realtime]: [number[], number[]] = [[], []]
  try {
    for (let turn = 0; turn < 3; turn++) {
      ordinary.push(await lateUs(false))
      realtime.push(await lateUs(true))
    }
  } finally {
    for (const loop of loops) loop.kill('SIGKILL')
    await provider.close()
  }
  expect(median(realtime)).toBeLessThan(median(ordinary) / 2)
})
