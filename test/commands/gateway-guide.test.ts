// The guide's own config (reference-gateway/gateway.yaml), as a user starts it: what its policies hold of a stream, and
// its light row, 128 MiB. test/bench/gateway/stream-budgets.js and light-memory.js have the figures.
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { startPair } from '../../src/bench/embedded.ts'
import { readProcessTree } from '../../src/system/process-tree.ts'
import { kt, readBench } from '../support/kt.ts'
import { tempDir } from '../support/temp-dir.ts'

const LIGHT_BYTES = 128 * 2 ** 20
const STREAMS = 40
/** Nine a second, as in the light row. */
const PAUSE_MS = 110
const SETTLED_MS = 30_000
const guide = fileURLToPath(new URL('../../reference-gateway/gateway.yaml', import.meta.url))

const GAP_MS = 20
const dir = tempDir()
afterAll(() => dir.remove())

function startGuide(gapMs: number, more: string[] = []) {
  const flags = (provider: string) => ['--config', guide, '--admin-port', '0', '--upstream', `${provider}/v1`, ...more]
  return startPair(['--http2', '--ttft', '20ms', '--token-gap', `${gapMs}ms`], flags, () => {})
}

test('of a stream it holds a token until the next one, and adds little to the first', { timeout: 60_000 }, async () => {
  const pair = await startGuide(GAP_MS)
  try {
    const path = dir.file('guide.json')
    const sends = ['--stream', '--max-tokens', '12', '--requests', '30', '--concurrency', '2']
    expect((await kt(['bench', '--url', pair.gatewayUrl, ...sends, '--no-floor', '--output', path])).code).toBe(0)
    const { addedTtftMs, addedPerTokenMs, holdMs } = readBench(path)
    // A word may begin an address until the next token says that it does not; more of them would be a window.
    expect(holdMs?.p50).toBeGreaterThan(GAP_MS / 2)
    expect(holdMs?.p50).toBeLessThan(GAP_MS * 1.5)
    expect(addedTtftMs?.p50).toBeLessThan(GAP_MS / 2)
    expect(addedPerTokenMs?.p50).toBeLessThan(GAP_MS / 2)
  } finally {
    await pair.close()
  }
})

test.skipIf(process.platform !== 'linux')('the guide’s config is light', { timeout: 60_000 }, async () => {
  // As it starts by itself where it is given no more memory than that.
  const pair = await startGuide(1, ['--no-jit-warmup'])
  try {
    const body = JSON.stringify({
      model: 'm',
      stream: true,
      max_tokens: 64,
      messages: [{ role: 'user', content: 'hi' }],
    })
    const held = (): number => readProcessTree(pair.gatewayPid ?? 0)?.rssBytes ?? Number.POSITIVE_INFINITY
    const untilMs = performance.now() + SETTLED_MS
    // On a busy machine V8 gives memory back late: what counts is what the gateway comes to at this rate.
    for (let sent = 0; sent < STREAMS || (held() >= LIGHT_BYTES && performance.now() < untilMs); sent++) {
      if (sent >= STREAMS) await wait(PAUSE_MS)
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${pair.gatewayUrl}/v1/chat/completions`, { method: 'POST', headers, body })
      expect(await answer.text()).toMatch(/data: \[DONE\]\n\n$/)
    }
    expect(held()).toBeLessThan(LIGHT_BYTES)
  } finally {
    await pair.close()
  }
})
