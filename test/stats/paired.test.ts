import { describe, expect, it } from 'vitest'
import { interimAnalysesUpTo, nextAnalysis } from '../../src/stats/gate.ts'
import type { GateBlock } from '../../src/stats/gate-block.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { type BlockPair, pairedDifference, worseThanP } from '../../src/stats/paired.ts'
import { judgePaired } from '../../src/stats/paired-gate.ts'
import { logNormal, normal, type Random, randomFrom } from '../../src/stats/random.ts'

interface Shape {
  pairs?: number
  size?: number
  failed?: number
}

/** Pairs of blocks that share a drift, one of them changed by `change`. */
function pairsOf(change: (us: number, random: Random) => number, shape: Shape = {}, seed = 1) {
  const { pairs = 20, size = 200, failed = 0 } = shape
  const random = randomFrom(seed)
  const block = (drift: number, how: typeof change): GateBlock => {
    const values = new Histogram(4)
    for (let i = 0; i < size; i++) values.record(how(drift * logNormal(random, 5_000, 0.2527), random))
    return { values, failed: 0, unfinished: 0 }
  }
  return Array.from({ length: pairs }, () => {
    const drift = Math.exp(0.12 * normal(random))
    return { baseline: block(drift, (us) => us), gateway: { ...block(drift, change), failed } }
  })
}

const judge = (pairs: ReturnType<typeof pairsOf>, limitUs = 7_000, more = {}) =>
  judgePaired({ pairs, limit: (us) => us + limitUs, client: 'ok', ...more })

/** Pairs of blocks in which most values are 0, as most tokens of a stream are not held; by the shares of the others. */
function mostlyZero(shareA: number, shareB: number, seed: number): BlockPair[] {
  const random = randomFrom(seed)
  const side = (share: number) => {
    const values = new Histogram(3)
    for (let i = 0; i < 500; i++) values.record(random() < share ? 5_000 + logNormal(random, 3_000, 0.5) : 0)
    return { values, failed: 0 }
  }
  return Array.from({ length: 20 }, () => ({ a: side(shareA), b: side(shareB) }))
}

describe('the difference of two quantiles', () => {
  it.each([
    [0.002, 0.002, 0.99],
    [0.02, 0.002, 0.99],
    [0.012, 0.008, 0.99],
    [0.008, 0.012, 0.99],
    [0.002, 0.02, 0.99],
    [0.03, 0.03, 0.99],
    [0.05, 0.05, 0.5],
  ])(
    'lies in its interval where most values are equal: %d and %d are not, at quantile %d',
    (shareA, shareB, quantile) => {
      for (let seed = 1; seed <= 10; seed++) {
        const pairs = mostlyZero(shareA, shareB, seed)
        const of = (which: 'a' | 'b') =>
          Histogram.merge(
            pairs.map((pair) => pair[which].values as Histogram),
            3,
          )
        const differenceUs = of('b').quantileUs(quantile) - of('a').quantileUs(quantile)
        const { lowerUs, upperUs } = pairedDifference(pairs, quantile, 0.025)
        expect(lowerUs).toBeLessThanOrEqual(differenceUs + 1)
        expect(upperUs).toBeGreaterThanOrEqual(differenceUs - 1)
      }
    },
  )
})

describe('the paired gate', () => {
  it('passes what is within the limit, fails what is over it, leaves what is near open with a number', () => {
    expect(judge(pairsOf((us) => us + 300))).toMatchObject({ verdict: 'pass' })
    expect(judge(pairsOf((us) => us + 20_000))).toMatchObject({ verdict: 'fail' })
    const near = judge(pairsOf((us) => us + 6_800))
    expect(near.verdict).toBe('inconclusive')
    expect(near.requestsNeeded).toBeGreaterThan(4_000)
  })

  it('gives the difference of the pooled quantiles with an interval around it', () => {
    const { p99Us, ci95Us } = judge(pairsOf((us) => us + 2_000))
    const [low, high] = ci95Us ?? [0, 0]
    expect(low).toBeLessThan(p99Us ?? 0)
    expect(high).toBeGreaterThan(p99Us ?? 0)
    expect(low).toBeGreaterThan(500)
    expect(high).toBeLessThan(3_500)
  })

  it('takes a relative limit', () => {
    const slower = pairsOf((us) => us * 1.3)
    expect(judge(slower, 0, { limit: (us: number) => 1.1 * us }).verdict).toBe('fail')
    expect(judge(slower, 0, { limit: (us: number) => 1.6 * us }).verdict).toBe('pass')
  })

  it('is not moved by one long stall', () => {
    let requests = 0
    const stalled = pairsOf((us) => (++requests <= 15 ? us + 50_000 : us), { size: 500 })
    expect(judge(stalled, 1_500).verdict).toBe('pass')
    expect(
      worseThanP(
        stalled.map(({ baseline, gateway }) => ({ a: baseline, b: gateway })),
        0.99,
        (us) => us,
      ),
    ).toBeGreaterThan(0.05)
  })

  it('needs ten pairs, 368 requests an arm, a client that was not the limit and requests that were answered', () => {
    const same = (us: number) => us
    expect(judge(pairsOf(same, { pairs: 9 })).why).toContain('too few pairs of blocks: 9 of at least 10')
    expect(judge(pairsOf(same, { pairs: 10, size: 30 })).why).toContain('300 of at least 368 an arm')
    expect(judge(pairsOf(same), 7_000, { client: 'saturated' }).why).toContain('saturated')
    expect(judge(pairsOf(same, { failed: 5 })).why).toContain('too many failed requests: 2.44 %')
    expect(judge([]).why).toContain('no pair of blocks')
  })

  it('fails for a median over the limit whatever the machine did, and for a tail only where it did nothing', () => {
    const shifted = pairsOf((us) => us + 20_000)
    let sent = 0
    const tailed = pairsOf((us) => (++sent % 10 === 0 ? us + 20_000 : us))
    const starved = (pairs: typeof tailed) =>
      pairs.map(({ baseline, gateway }) => ({ baseline, gateway: { ...gateway, heldUp: 10 } }))
    expect(judge(shifted, 7_000, { client: 'noisy' }).verdict).toBe('fail')
    expect(judge(starved(shifted), 7_000).verdict).toBe('fail')
    expect(judge(tailed, 7_000).verdict).toBe('fail')
    expect(judge(tailed, 7_000, { client: 'noisy' }).why).toContain('noisy')
    expect(judge(starved(tailed), 7_000).verdict).toBe('inconclusive')
    expect(judge(starved(tailed), 7_000).why).toContain('short of CPU in 20 of 20 pairs')
    expect(judge([...starved(tailed.slice(0, 8)), ...tailed.slice(8)], 7_000).verdict).toBe('fail')
  })

  it('needs no number of requests to fail a gateway that is over the limit in every one', () => {
    const shifted = (us: number) => us + 32_000
    expect(judge(pairsOf(shifted, { pairs: 20, size: 10 }), 7_000).verdict).toBe('fail')
    expect(judge(pairsOf(shifted, { pairs: 4, size: 5 }), 7_000).verdict).toBe('fail')
    expect(judge(pairsOf(shifted, { pairs: 1, size: 2 }), 7_000).verdict).toBe('inconclusive')
  })

  it('bounds nothing where all blocks are empty over the quantile, or one arm is far away', () => {
    const [pair] = pairsOf((us) => us, { pairs: 1 })
    const one = pair ? [{ a: pair.baseline, b: pair.gateway }] : []
    expect(pairedDifference(one, 0.99, 0.025)).toEqual({
      lowerUs: Number.NEGATIVE_INFINITY,
      upperUs: Number.POSITIVE_INFINITY,
    })
  })
})

describe('interim analyses', () => {
  it('come after 10, 20, 40 and 80 pairs, or at the end of a shorter run', () => {
    expect([80, 50, 20, 10, 6].map(interimAnalysesUpTo)).toEqual([
      [10, 20, 40, 80],
      [10, 20, 40, 50],
      [10, 20],
      [10],
      [6],
    ])
  })

  it('end with a verdict, or with the run', () => {
    expect([0, 10, 15, 40, 80].map((pairs) => nextAnalysis('inconclusive', pairs))).toEqual([10, 20, 20, 80, undefined])
    expect([nextAnalysis('pass', 10), nextAnalysis('fail', 20)]).toEqual([undefined, undefined])
    expect(nextAnalysis('inconclusive', 20, interimAnalysesUpTo(25))).toBe(25)
  })
})
