// The guide's light row: the gateway with the guide's own config, as a user starts it, holds within 128 MiB under nine
// chat streams a second. test/bench/gateway/light-memory.js has the figures.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startPair } from '../../src/bench/embedded.ts'
import { readProcessTree } from '../../src/system/process-tree.ts'

const LIGHT_MIB = 128
const STREAMS = 40
const guide = fileURLToPath(new URL('../../reference-gateway/gateway.yaml', import.meta.url))

test.skipIf(process.platform !== 'linux')('the guide’s config is light', { timeout: 60_000 }, async () => {
  const flags = (provider: string) => ['--config', guide, '--admin-port', '0', '--upstream', `${provider}/v1`]
  const pair = await startPair(['--http2', '--ttft', '20ms', '--token-gap', '1ms'], flags, () => {})
  try {
    const body = JSON.stringify({
      model: 'm',
      stream: true,
      max_tokens: 64,
      messages: [{ role: 'user', content: 'hi' }],
    })
    for (let sent = 0; sent < STREAMS; sent++) {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${pair.gatewayUrl}/v1/chat/completions`, { method: 'POST', headers, body })
      expect(await answer.text()).toMatch(/data: \[DONE\]\n\n$/)
    }
    const held = readProcessTree(pair.gatewayPid ?? 0)?.rssBytes ?? Number.POSITIVE_INFINITY
    expect(held / 2 ** 20).toBeLessThan(LIGHT_MIB)
  } finally {
    await pair.close()
  }
})
