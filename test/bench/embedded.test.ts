import { expect, test } from 'vitest'
import { startChild, startEmbeddedPair } from '../../src/bench/embedded.ts'

test('the pair answers, and ends by itself when it is closed', async () => {
  const pair = await startEmbeddedPair(0, () => {})
  expect((await fetch(`${pair.gatewayUrl}/v1/models`)).status).toBe(200)
  const sinceMs = performance.now()
  await pair.close()
  // Killed after five seconds, if it would not.
  expect(performance.now() - sinceMs).toBeLessThan(4_000)
  await expect(fetch(`${pair.providerUrl}/v1/models`)).rejects.toThrow()
})

test('a server that refuses to start says why, once', async () => {
  const notes: string[] = []
  const started = startChild(['provider', 'start', '--ttft', 'soon', '--json'], (line) => notes.push(line))
  await expect(started).rejects.toMatchObject({ name: 'UserError', message: /^--ttft: 'soon' is not/, exitCode: 2 })
  expect(notes).toEqual([])
})

test("an interrupt ends the wait for the gateway's warm-up", async () => {
  const pair = await startEmbeddedPair(0, () => {}, { jitWarmup: true, interrupt: AbortSignal.abort() })
  expect((await fetch(`${pair.gatewayUrl}/readyz`)).status).toBe(503)
  await pair.close()
})
