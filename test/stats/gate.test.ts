import { describe, expect, it } from 'vitest'
import { blockCount, share } from '../../src/schedule/blocks.ts'
import { judgeDifference } from '../../src/stats/difference-gate.ts'
import { judgeBudget } from '../../src/stats/gate.ts'
import type { GateBlock } from '../../src/stats/gate-block.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { logNormal, type Random, randomFrom } from '../../src/stats/random.ts'

const LIMIT = 7_000

interface Shape {
  blocks?: number
  size?: number
  failed?: number
  unfinished?: number
}

function blocksOf(draw: (random: Random) => number, shape: Shape = {}): GateBlock[] {
  const { blocks = 20, size = 100, failed = 0, unfinished = 0 } = shape
  const random = randomFrom(7)
  return Array.from({ length: blocks }, () => {
    const values = new Histogram()
    for (let i = 0; i < size; i++) values.record(draw(random))
    return { values, failed, unfinished }
  })
}

/** A median with a P99 at 1.8 times it. */
const around =
  (medianUs: number) =>
  (random: Random): number =>
    logNormal(random, medianUs, 0.2527)

const judge = (blocks: GateBlock[], more: Partial<Parameters<typeof judgeBudget>[0]> = {}) =>
  judgeBudget({ limitUs: LIMIT, blocks, client: 'ok', unread: 0, ...more })

describe('the budget gate', () => {
  it('passes a gateway of 1 ms, and says on what', () => {
    const result = judge(blocksOf(around(1_000)))
    expect(result).toMatchObject({ verdict: 'pass', why: 'share over 7 ms: 0 % of 2,000, upper bound 0.22 %' })
    expect(result.p99Us).toBeGreaterThan(1_600)
    expect(result.requestsNeeded).toBeUndefined()
  })

  it('fails a gateway of 15 ms', () => {
    const result = judge(blocksOf(around(15_000)))
    expect(result.verdict).toBe('fail')
    expect(result.why).toMatch(/lower bound 9\d\.\d %/)
  })

  it('leaves a P99 just under the budget open, with how many requests would decide it', () => {
    const everyOver = (n: number) => {
      let drawn = 0
      return () => (++drawn % n === 0 ? 9_000 : 1_000)
    }
    const near = judge(blocksOf(everyOver(125)))
    expect(near.verdict).toBe('inconclusive')
    const { requestsNeeded: needed = 0 } = near
    expect(needed).toBeGreaterThan(2_000)
    // The advice holds, and is not more than it takes.
    expect(judge(blocksOf(everyOver(125), { blocks: Math.ceil((needed * 1.1) / 100) })).verdict).toBe('pass')
    expect(judge(blocksOf(everyOver(125), { blocks: Math.ceil((needed * 0.5) / 100) })).verdict).toBe('inconclusive')
  })

  it('gives no number where none would decide', () => {
    // 2 % over 7 ms, none over 8.05 ms: over the budget by less than the drift.
    const result = judge(blocksOf((random) => (random() < 0.03 ? 7_500 : 1_000), { size: 500 }))
    expect(result.verdict).toBe('inconclusive')
    expect(result.why).toContain('drift from run to run')
    expect(result.requestsNeeded).toBeUndefined()
  })

  it('needs 437 requests and ten blocks for a PASS, and says how many', () => {
    const few = judge(blocksOf(around(1_000), { blocks: 10, size: 5 }))
    expect(few).toMatchObject({ verdict: 'inconclusive', requestsNeeded: 440 })
    expect(few.why).toContain('too few requests for a P99: 50 of at least 437')
    const clumped = judge(blocksOf(around(1_000), { blocks: 5, size: 400 }))
    expect(clumped).toMatchObject({ verdict: 'inconclusive', requestsNeeded: 4_000 })
    expect(clumped.why).toContain('too few blocks: 5 of at least 10')
  })

  it.each([10, 20, 200])('needs no such number for a FAIL: every one of %i requests over the limit', (requests) => {
    const blocks = Math.max(1, Math.min(20, requests / 5))
    expect(judge(blocksOf(around(32_000), { blocks, size: requests / blocks })).verdict).toBe('fail')
  })

  it('fails nobody for a few slow requests of a few', () => {
    let drawn = 0
    const oneOfTen = blocksOf(() => (++drawn % 10 === 0 ? 20_000 : 1_000), { blocks: 2, size: 10 })
    expect(judge(oneOfTen)).toMatchObject({ verdict: 'inconclusive', requestsNeeded: expect.any(Number) })
    expect(judge(blocksOf(around(32_000), { blocks: 1, size: 2 })).verdict).toBe('inconclusive')
  })

  it.each([20, 50, 150, 300, 420])('asks for at least the minimum, and what it asks of %i is enough', (requests) => {
    const run = (count: number) => judge(blocksOf(around(1_000), { blocks: 10, size: Math.ceil(count / 10) }))
    const { verdict, requestsNeeded = 0 } = run(requests)
    expect(verdict).toBe('inconclusive')
    expect(requestsNeeded).toBeGreaterThanOrEqual(437)
    expect(run(requestsNeeded).verdict).toBe('pass')
  })

  it('counts no request for a FAIL that the machine may have held up, unless half of all are over', () => {
    const tail = blocksOf((random) => (random() < 0.1 ? 20_000 : 1_000))
    const starved = (blocks: readonly GateBlock[], heldUp: number) => blocks.map((block) => ({ ...block, heldUp }))
    const held = judge(starved(tail, 30))
    expect(held.verdict).toBe('inconclusive')
    expect(held.why).toContain('the machine was short of CPU in 20 of 20 blocks')
    expect(held.requestsNeeded).toBeUndefined()
    expect(judge(starved(tail, 1)).verdict).toBe('fail')
    expect(judge(starved(blocksOf(around(15_000)), 100)).verdict).toBe('fail')
    expect(judge(starved(blocksOf(around(1_000)), 100)).verdict).toBe('pass')
    const waiting = starved(blocksOf(around(15_000)), 100).map((block) => ({ ...block, waitUs: 100 * 12_000 }))
    expect(judge(waiting).verdict).toBe('inconclusive')
    // A median that the floor has too is the machine's.
    expect(judge(starved(blocksOf(around(15_000)), 100), { floor: blocksOf(around(10_000)) }).verdict).toBe(
      'inconclusive',
    )
  })

  it('keeps its word: the number of requests that it names decides, in the blocks of such a run', () => {
    const run = (requests: number, every: number, overUs: number): GateBlock[] => {
      let drawn = 0
      const blocks = blockCount(requests)
      return Array.from({ length: blocks }, (_, block) => {
        const values = new Histogram()
        for (let i = 0; i < share(requests, blocks, block); i++) values.record(++drawn % every === 0 ? overUs : 1_000)
        return { values, failed: 0, unfinished: 0 }
      })
    }
    let named = 0
    for (const requests of [50, 100, 200, 300, 370, 426, 436, 500, 1_000, 2_000]) {
      for (const every of [Number.POSITIVE_INFINITY, 500, 200, 125, 50, 25, 10, 4]) {
        // Only where the run has seen the share that a longer one will see.
        if (Number.isFinite(every) && requests % every !== 0) continue
        const { requestsNeeded: needed, verdict } = judge(run(requests, every, 20_000))
        if (needed === undefined) continue
        named++
        expect(verdict).toBe('inconclusive')
        expect(needed).toBeGreaterThanOrEqual(437)
        const words = `${requests} requests, one in ${every} over: ${needed} would decide it`
        expect(judge(run(Math.ceil(needed * 1.06), every, 20_000)).verdict, words).not.toBe('inconclusive')
      }
    }
    expect(named).toBeGreaterThan(15)
  })

  it('names no number where the rig is in doubt, which more requests do not mend', () => {
    const few = { blocks: 10, size: 10 }
    const floor = blocksOf(around(3_000))
    expect(judge(blocksOf(around(3_000), few)).requestsNeeded).toBeGreaterThan(0)
    expect(judge(blocksOf(around(3_000), few), { floor })).toMatchObject({ verdict: 'inconclusive' })
    expect(judge(blocksOf(around(3_000), few), { floor }).requestsNeeded).toBeUndefined()
    const tail = (random: Random): number => (random() < 0.05 ? 20_000 : 1_000)
    expect(judge(blocksOf(tail, few)).requestsNeeded).toBeGreaterThan(0)
    expect(judge(blocksOf(tail, few), { client: 'noisy' }).requestsNeeded).toBeUndefined()
    expect(judge(blocksOf(around(1_000), few), { unread: 50 }).requestsNeeded).toBeUndefined()
  })

  it('says when nothing was read', () => {
    expect(judge(blocksOf(around(1), { size: 0, failed: 10 }))).toEqual({
      verdict: 'inconclusive',
      why: 'no request was answered with a reading',
      p99Us: null,
      ci95Us: null,
    })
    expect(judge([]).verdict).toBe('inconclusive')
  })

  it('takes a failed request for one over the budget', () => {
    const result = judge(blocksOf(around(1_000), { failed: 5 }))
    expect(result.verdict).toBe('fail')
    expect(result.why).toContain('or failed (100)')
    expect(judge(blocksOf(around(1_000), { size: 500, failed: 1 })).verdict).toBe('pass')
  })

  it('counts requests in flight at the end against a pass, never for a fail', () => {
    expect(judge(blocksOf(around(1_000), { unfinished: 5 })).verdict).toBe('inconclusive')
  })

  it('judges nothing through a saturated client', () => {
    expect(judge(blocksOf(around(1_000)), { client: 'saturated' }).verdict).toBe('inconclusive')
    expect(judge(blocksOf(around(15_000)), { client: 'saturated' }).verdict).toBe('inconclusive')
  })

  it('lets a noisy machine pass, and fail only what is over the budget at the median', () => {
    const tail = blocksOf((random) => (random() < 0.1 ? 20_000 : 1_000))
    expect(judge(tail).verdict).toBe('fail')
    expect(judge(tail, { client: 'noisy' })).toMatchObject({ verdict: 'inconclusive' })
    expect(judge(blocksOf(around(1_000)), { client: 'noisy' }).verdict).toBe('pass')
    expect(judge(blocksOf(around(15_000)), { client: 'noisy' }).verdict).toBe('fail')
  })

  it('does not pass on what was not read', () => {
    expect(judge(blocksOf(around(1_000)), { unread: 20 }).verdict).toBe('pass')
    const result = judge(blocksOf(around(1_000)), { unread: 21 })
    expect(result.verdict).toBe('inconclusive')
    expect(result.why).toContain('21 answered requests carry no usable reading')
  })

  it('does not pass over a floor above a quarter of the budget, and fails only beyond it', () => {
    const low = blocksOf(around(500))
    const high = blocksOf(around(1_500))
    const broken = blocksOf((random) => (random() < 0.1 ? 20_000 : 1_500))
    expect(judge(blocksOf(around(1_600)), { floor: low }).verdict).toBe('pass')
    const held = judge(blocksOf(around(1_600)), { floor: high })
    expect(held.verdict).toBe('inconclusive')
    expect(held.why).toContain('over a quarter of the budget')
    expect(judge(blocksOf(around(15_000)), { floor: high }).verdict).toBe('fail')
    const blamed = judge(
      blocksOf((random) => (random() < 0.12 ? 20_000 : 1_500)),
      { floor: broken },
    )
    expect(blamed.verdict).toBe('inconclusive')
    expect(blamed.why).toContain("the breach may be the rig's")
  })
})

describe('the gate on the difference of two P99s', () => {
  const gate = (addedUs: number, more: Partial<Parameters<typeof judgeDifference>[0]> = {}) =>
    judgeDifference({
      limitUs: LIMIT,
      baseline: blocksOf(around(5_000)),
      gateway: blocksOf((random) => addedUs + logNormal(random, 5_000, 0.2527)),
      client: 'ok',
      ...more,
    })

  it('passes +0.3 ms, fails +20 ms, leaves +6.5 ms open with a number', () => {
    expect(gate(300).verdict).toBe('pass')
    expect(gate(20_000).verdict).toBe('fail')
    const near = gate(6_500)
    expect(near.verdict).toBe('inconclusive')
    expect(near.requestsNeeded).toBeGreaterThan(2_000)
    expect(near.p99Us).toBeGreaterThan(5_500)
  })

  it('refuses runs that it cannot compare', () => {
    expect(gate(300, { client: 'noisy' }).verdict).toBe('inconclusive')
    expect(gate(300, { baseline: [] }).why).toBe('a run without an answered request')
    expect(gate(300, { baseline: blocksOf(around(5_000), { failed: 5 }) }).why).toContain('too many failed requests')
    const few = gate(300, { baseline: blocksOf(around(5_000), { blocks: 10, size: 10 }) })
    expect(few.why).toContain('too few requests for a P99: 100 of at least 368')
    expect(few.requestsNeeded).toBeGreaterThanOrEqual(368)
    expect(gate(300, { baseline: blocksOf(around(5_000), { blocks: 5, size: 400 }) }).why).toContain('too few blocks')
  })
})
