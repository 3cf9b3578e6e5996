import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { UserError } from '../../src/errors.ts'
import { processSchema } from '../../src/report/watch-schema.ts'
import { now } from '../../src/system/clock.ts'
import { findProcesses } from '../../src/watch/processes.ts'
import { messageOf } from '../support/refusal.ts'

/** Takes a core for most of its life, in a child of its own. */
const BUSY = "const spawn = require('node:child_process').spawn; spawn(process.execPath, ['-e', 'for (;;);'])"

async function startBusy(): Promise<{ pid: number; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ['-e', BUSY], { stdio: 'ignore', detached: true })
  const ended = once(child, 'exit')
  const { pid } = child
  if (pid === undefined) throw new Error('not started')
  await sleep(300)
  return {
    pid,
    async kill() {
      process.kill(-pid, 'SIGKILL')
      await ended
    },
  }
}

describe.runIf(process.platform === 'linux')('processes of this machine', () => {
  test('a busy one and its child take CPU, an idle one takes none; both have memory', async () => {
    const busy = await startBusy()
    const idle = spawn('sleep', ['60'], { stdio: 'ignore' })
    try {
      const watches = findProcesses([
        { name: 'busy', pid: busy.pid },
        { name: 'idle', pid: idle.pid ?? 0 },
      ])
      for (const watch of watches) watch.measuring(now())
      await sleep(2_400)
      const [worked, slept] = watches.map((watch) => processSchema.parse(watch.end()))
      expect(worked?.readings.length).toBeGreaterThanOrEqual(2)
      expect(worked?.readings.map(({ second }) => second)).toEqual(worked?.readings.map((_, index) => index))
      const most = (of: typeof worked) => Math.max(...(of?.readings ?? []).map(({ cpuPercent }) => cpuPercent))
      expect(most(worked)).toBeGreaterThan(10)
      expect(most(slept)).toBeLessThan(5)
      expect(worked?.readings.every(({ rssBytes }) => rssBytes > 40 * 1024 ** 2)).toBe(true)
      expect(slept?.readings.every(({ rssBytes }) => rssBytes > 0 && rssBytes < 40 * 1024 ** 2)).toBe(true)
      expect([worked?.endedAtS, slept?.endedAtS]).toEqual([null, null])
    } finally {
      idle.kill('SIGKILL')
      await busy.kill()
    }
  })

  test('one that ends during the run says when, and keeps what was read', async () => {
    const busy = await startBusy()
    const [watch] = findProcesses([{ name: 'busy', pid: busy.pid }])
    watch?.measuring(now() - 500_000)
    await sleep(800)
    await busy.kill()
    await sleep(1_200)
    const ended = watch?.end()
    expect(ended?.readings.map(({ second }) => second)).toEqual([0])
    expect(ended?.endedAtS).toBeGreaterThan(1)
  })

  test('one that is not there is refused with its name', () => {
    expect(() => findProcesses([{ name: 'gone', pid: 4_194_304 }])).toThrow(UserError)
    expect(() => findProcesses([{ name: 'gone', pid: 4_194_304 }])).toThrow('--arm-pid gone=4194304')
  })
})

test.each([
  [['gateway'], "'gateway' is not of the form NAME=PID"],
  [['gateway=-1'], "'gateway=-1' is not of the form NAME=PID"],
  [['a=1', 'a=2'], 'two of them have one name'],
  [Array.from({ length: 17 }, (_, index) => `a${index}=1`), 'at most 16 can be watched'],
])('--arm-pid %s is refused', (given, why) => {
  expect(messageOf(() => parseBenchOptions({ values: { 'arm-pid': given } }))).toContain(`--arm-pid: ${why}`)
})
