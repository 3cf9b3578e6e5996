import { expect, test } from 'vitest'
import { startEmbeddedPair } from '../../src/bench/embedded.ts'

test('the pair answers, and ends by itself when it is closed', async () => {
  const pair = await startEmbeddedPair(0, () => {})
  expect((await fetch(`${pair.gatewayUrl}/v1/models`)).status).toBe(200)
  const sinceMs = performance.now()
  await pair.close()
  // Killed after five seconds, if it would not.
  expect(performance.now() - sinceMs).toBeLessThan(4_000)
  await expect(fetch(`${pair.providerUrl}/v1/models`)).rejects.toThrow()
})
