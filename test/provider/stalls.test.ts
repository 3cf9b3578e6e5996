import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseStall, Stalls } from '../../src/provider/latency.ts'
import { chatWith, nonce, postChat, provider, truthOf } from './support.ts'

test.each([
  ['100ms/1s', { forUs: 100_000, everyUs: 1_000_000 }],
  [' 1.5s / 1m ', { forUs: 1_500_000, everyUs: 60_000_000 }],
])('%j is read', (text, plan) => {
  expect(parseStall(text)).toEqual(plan)
})

test.each(['', '100ms', '100/1000', '1s/1s', '2s/1s', '0ms/1s', '1ms/1s/1s', 'x/1s'])('%j is refused', (text) => {
  expect(parseStall(text)).toBeUndefined()
})

test('a stall ends when its period does, and nowhere else is one', () => {
  const stalls = new Stalls({ forUs: 100, everyUs: 1_000 }, 5_000)
  expect(stalls.endUs(5_000)).toBeUndefined()
  expect(stalls.endUs(5_899)).toBeUndefined()
  expect(stalls.endUs(5_900)).toBe(6_000)
  expect(stalls.endUs(5_999)).toBe(6_000)
  expect(stalls.endUs(6_000)).toBeUndefined()
  fc.assert(
    fc.property(fc.nat(1_000_000), (sinceUs) => {
      const endUs = stalls.endUs(5_000 + sinceUs)
      expect(endUs === undefined).toBe(sinceUs % 1_000 < 900)
      if (endUs !== undefined) expect(stalls.endUs(endUs)).toBeUndefined()
    }),
  )
})

test('a provider that stalls half of the time holds answers, streams and refusals, as its stamps say', async () => {
  const target = await provider({ stall: { forUs: 40_000, everyUs: 80_000 } })
  const held = { whole: 0, streamed: 0, refused: 0 }
  const slowest = async (index: number, more: Record<string, unknown>): Promise<number> => {
    await (await postChat(target, chatWith(nonce(index), more))).text()
    const [record] = (await truthOf(target)).slice(-1)
    return (record?.lastWriteUs ?? 0) - (record?.receivedUs ?? 0)
  }
  for (let i = 0; i < 12; i++) {
    await new Promise((resolve) => setTimeout(resolve, (i * 13) % 40))
    held.whole = Math.max(held.whole, await slowest(i, {}))
    held.streamed = Math.max(held.streamed, await slowest(100 + i, { stream: true }))
    held.refused = Math.max(held.refused, await slowest(200 + i, { model: 'unknown' }))
  }
  // Without stalls each takes less than a millisecond; into half of the time dozens of requests cannot all miss it.
  expect(Object.values(held).toSorted((a, b) => b - a)[0]).toBeGreaterThan(5_000)
  expect(Math.max(...Object.values(held))).toBeLessThan(200_000)
})
