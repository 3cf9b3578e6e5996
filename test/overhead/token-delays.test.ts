// The two parts of what is added to tokens, for gateways of known behaviour in front of known writes.
import { describe, expect, it } from 'vitest'
import { TokenDelays } from '../../src/overhead/token-delays.ts'
import { type Random, randomFrom } from '../../src/stats/random.ts'

const TOKENS = 200
const OWN_US = 300

/** When a gateway sends on what was written at `written`. */
type Gateway = (written: readonly number[], random: Random) => number[]

const own = (random: Random): number => OWN_US * (1 + 0.3 * random())

const passing: Gateway = (written, random) => written.map((us) => us + own(random))
const late =
  (delayUs: number): Gateway =>
  (written, random) =>
    written.map((us) => us + delayUs + own(random))
/** Each token leaves when the next one is there, the last one with the end. */
const lookingAhead: Gateway = (written, random) => written.map((us, i) => (written[i + 1] ?? us) + own(random))
/** A buffer that leaves this long after its first token came. */
const flushing =
  (everyUs: number): Gateway =>
  (written, random) => {
    let flushUs = Number.NEGATIVE_INFINITY
    return written.map((us) => {
      if (us > flushUs) flushUs = us + everyUs
      return Math.min(flushUs, written.at(-1) ?? us) + own(random)
    })
  }
const buffering: Gateway = (written, random) => written.map(() => (written.at(-1) ?? 0) + own(random))
const debouncing: Gateway = (written, random) =>
  written.map((us) => Math.max(us, (written[0] ?? 0) + 25_000) + own(random))
/** Each token takes its own time, shorter than the gap to the next one. */
const working: Gateway = (written, random) => written.map((us) => us + own(random) + 15_000 * random())

function splitOf(gateway: Gateway, gapUs: number) {
  const random = randomFrom(`tokens/${gapUs}`)
  const written: number[] = []
  for (let us = 20_000; written.length < TOKENS; us += gapUs * (0.7 + 0.6 * random())) written.push(us)
  const delays = new TokenDelays()
  delays.begin()
  let cameUs = 0
  for (const [i, us] of gateway(written, random).entries()) {
    cameUs = Math.max(cameUs, us)
    delays.add(cameUs, written[i] ?? 0)
  }
  const parts: { delayUs: number; holdUs: number }[] = []
  delays.split(cameUs - (written.at(-1) ?? 0), (delayUs, holdUs) => parts.push({ delayUs, holdUs }))
  const at = (of: 'delayUs' | 'holdUs', share: number): number =>
    parts.map((part) => part[of]).sort((a, b) => a - b)[Math.floor(share * (TOKENS - 1))] ?? Number.NaN
  return {
    parts,
    delay: (share: number) => at('delayUs', share) / 1e3,
    hold: (share: number) => at('holdUs', share) / 1e3,
  }
}

describe.each([2_000, 30_000])('with tokens written %i us apart', (gapUs) => {
  it('a gateway that passes on holds nothing', () => {
    const { delay, hold } = splitOf(passing, gapUs)
    expect(hold(1)).toBe(0)
    expect(delay(0.99)).toBeLessThan(0.5)
  })

  it.each([5_000, 50_000])('a delay of %i us of every token is a delay, however long', (us) => {
    const { delay, hold } = splitOf(late(us), gapUs)
    expect(hold(1)).toBe(0)
    expect(delay(0.5)).toBeGreaterThanOrEqual(us / 1e3)
  })

  it('a look-ahead of one token is a hold of one gap, and no delay', () => {
    const { delay, hold } = splitOf(lookingAhead, gapUs)
    expect(hold(0.5)).toBeGreaterThan(0.8 * (gapUs / 1e3))
    expect(hold(0.5)).toBeLessThan(1.3 * (gapUs / 1e3))
    expect(delay(0.99)).toBeLessThan(0.5)
  })

  it('a flush interval is a hold of up to that', () => {
    const { delay, hold } = splitOf(flushing(100_000), gapUs)
    expect(hold(0.98)).toBeGreaterThan(90)
    expect(hold(1)).toBeLessThan(101)
    expect(delay(0.9)).toBeLessThan(0.5)
  })

  it('a buffer of the whole is a hold of the whole', () => {
    const { delay, hold } = splitOf(buffering, gapUs)
    expect(hold(1)).toBeGreaterThan((0.95 * TOKENS * gapUs) / 1e3)
    expect(delay(1)).toBeLessThan(0.5)
  })
})

it('a wait before the first token is a hold where others came meanwhile, and else a delay of that one', () => {
  expect(splitOf(debouncing, 2_000).hold(1)).toBeGreaterThan(24)
  const slow = splitOf(debouncing, 60_000)
  expect(slow.hold(1)).toBe(0)
  expect(slow.parts[0]?.delayUs).toBeGreaterThan(25_000)
})

it('work on single tokens that is done before the next one is written is a delay', () => {
  const { delay, hold } = splitOf(working, 30_000)
  expect(hold(1)).toBe(0)
  expect(delay(0.99)).toBeGreaterThan(13)
})

it('serves one stream after another, and grows', () => {
  const delays = new TokenDelays()
  for (const count of [3, 500, 1]) {
    delays.begin()
    for (let i = 0; i < count; i++) delays.add(i * 1_000 + 50, i * 1_000)
    let [seen, sum] = [0, 0]
    delays.split(50, (delayUs, holdUs) => {
      seen++
      sum += delayUs + holdUs
    })
    expect([seen, sum]).toEqual([count, 50 * count])
  }
})
