import { spawnSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { now } from '../../src/system/clock.ts'

const clockUrl = new URL('../../src/system/clock.ts', import.meta.url).href

/** What `now()` and the host's own clock read in one breath; the tightest of many. */
function error(clock: () => number): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 200; i++) {
    const before = Number(process.hrtime.bigint()) / 1_000
    const read = clock()
    const after = Number(process.hrtime.bigint()) / 1_000
    best = Math.min(best, Math.max(0, before - read, read - after))
  }
  return best
}

test('the clock is the host’s own, in this thread, in another, and in another process', async () => {
  expect(error(now)).toBeLessThan(50)
  const source = `import { now } from ${JSON.stringify(clockUrl)}; const error = ${error.toString()};`
  const inThread = await new Promise<number>((resolve, reject) => {
    const thread = new Worker(
      new URL(
        `data:text/javascript,${encodeURIComponent(`${source}
          import { parentPort } from 'node:worker_threads'
          parentPort.postMessage(error(now))`)}`,
      ),
    )
    thread.once('message', resolve)
    thread.once('error', reject)
  })
  expect(inThread).toBeLessThan(50)
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', `${source} console.log(error(now))`], {
    encoding: 'utf8',
  })
  expect(stdout.trim()).not.toBe('')
  expect(Number(stdout)).toBeLessThan(50)
})
