/**
 * How often paired verdicts err, by seeded simulation: 5 ms median, P99 9 ms log-normal, host noise that is AR(1)
 * over the blocks as they were run (sigma 12 %, rho 0.85), pairs of 500 requests a block in random order. Only the
 * tail of a block is drawn (from the P97 of the run's lowest drift on): nothing else enters a P99.
 */
import { describe, expect, it } from 'vitest'
import { firstWhere } from '../../src/stats/bisect.ts'
import { normalCdf } from '../../src/stats/distributions.ts'
import { ALPHA_FAIL, ALPHA_PASS } from '../../src/stats/gate.ts'
import { pairedTP, signFlipP } from '../../src/stats/means.ts'
import { type BlockPair, type Counted, pairedDifference, shareDifferences, worseThanP } from '../../src/stats/paired.ts'
import { decidePaired } from '../../src/stats/paired-gate.ts'
import { normal, type Random, randomFrom } from '../../src/stats/random.ts'
import { decideAtAnalyses } from '../support/interim-analyses.ts'
import { normalQuantile } from '../support/normal-quantile.ts'
import { simulatedRuns } from '../support/simulated-runs.ts'

const SIZE = 500
const SIGMA = Math.log(9 / 5) / normalQuantile(0.99)
const NOISE = 0.12
const RHO = 0.85
/** Everything over this is drawn, in standard normals above the run's lowest drift. */
const FROM = 1.9
const same = (us: number): number => us

/** Standard normals by the logarithm of the share above them, from 1/2 down to 1e-9: for drawing tails quickly. */
const STEPS = 2_048
const LEAST_LOG = Math.log(1e-9)
const TABLE = Array.from({ length: STEPS + 1 }, (_, i) => {
  const share = Math.exp(Math.log(0.5) + (i / STEPS) * (LEAST_LOG - Math.log(0.5)))
  return -normalQuantile(share)
})

function tailNormal(shareAbove: number): number {
  const at = ((Math.log(shareAbove) - Math.log(0.5)) / (LEAST_LOG - Math.log(0.5))) * STEPS
  const slot = Math.max(0, Math.min(STEPS - 1, Math.floor(at)))
  const [low = 0, high = 0] = [TABLE[slot], TABLE[slot + 1]]
  return low + (high - low) * (at - slot)
}

class Tail implements Counted {
  readonly count = SIZE
  readonly #sorted: Float64Array
  constructor(values: number[]) {
    this.#sorted = Float64Array.from(values).sort()
  }
  countAbove(limitUs: number): number {
    return this.#sorted.length - firstWhere(0, this.#sorted.length, (i) => (this.#sorted[i] ?? 0) > limitUs)
  }
}

function block(random: Random, drift: number, lowest: number, addedUs: number): Counted {
  const share = 1 - normalCdf(FROM - (drift - lowest) / SIGMA)
  const log = Math.log1p(-share)
  const values: number[] = []
  // Waiting times between successes: a binomial count of requests in the tail.
  for (let i = Math.floor(Math.log(1 - random()) / log); i < SIZE; i += 1 + Math.floor(Math.log(1 - random()) / log)) {
    values.push(5_000 * Math.exp(drift + SIGMA * tailNormal(share * random())) + addedUs)
  }
  return new Tail(values)
}

/** Pairs of blocks as a run meets them, the second arm slower by `addedUs`. */
function run(random: Random, pairs: number, addedUs = 0): BlockPair[] {
  let drift = NOISE * normal(random)
  const drifts = Array.from({ length: 2 * pairs }, () => {
    const current = drift
    drift = RHO * drift + NOISE * Math.sqrt(1 - RHO ** 2) * normal(random)
    return current
  })
  const lowest = Math.min(...drifts)
  return Array.from({ length: pairs }, (_, i) => {
    const [first = 0, second = 0] = drifts.slice(2 * i, 2 * i + 2)
    const [a, b] = random() < 0.5 ? [first, second] : [second, first]
    return {
      a: { values: block(random, a, lowest, 0), failed: 0 },
      b: { values: block(random, b, lowest, addedUs), failed: 0 },
    }
  })
}

function rate(name: string, runs: number, errs: (random: Random) => boolean): number {
  const random = randomFrom(name)
  let count = 0
  for (let i = 0; i < runs; i++) if (errs(random)) count++
  process.stdout.write(
    `paired gate, ${name.padEnd(62)} ${((100 * count) / runs).toFixed(2).padStart(6)} %  (${runs} runs)\n`,
  )
  return count / runs
}

/** Shares of the verdicts of `runs` runs. */
function tally(name: string, runs: number, decide: (random: Random) => 'pass' | 'fail' | 'inconclusive') {
  const random = randomFrom(name)
  const shares = { pass: 0, fail: 0, inconclusive: 0 }
  for (let i = 0; i < runs; i++) shares[decide(random)] += 1 / runs
  const percent = (share: number): string => `${(100 * share).toFixed(2).padStart(6)} %`
  process.stdout.write(
    `paired gate, ${name.padEnd(48)} PASS ${percent(shares.pass)}  FAIL ${percent(shares.fail)}  (${runs} runs)\n`,
  )
  return shares
}

describe('the paired gate in simulation', () => {
  it('raises A/A false alarms near the nominal 5 % at a fixed number of blocks', () => {
    const t = rate(
      'A/A, 20 pairs, t at 5 %',
      1_000,
      (random) => pairedTP(shareDifferences(run(random, 20), 0.99, same)) <= 0.05,
    )
    expect(t).toBeGreaterThanOrEqual(0.03)
    expect(t).toBeLessThanOrEqual(0.08)
    const flips = rate('A/A, 10 pairs, exact sign-flip at 5 %', 1_000, (random) => {
      return signFlipP(shareDifferences(run(random, 10), 0.99, same)) <= 0.05
    })
    expect(flips).toBeGreaterThanOrEqual(0.03)
    expect(flips).toBeLessThanOrEqual(0.08)
  })

  it(
    'errs in at most 5 % over four analyses where the truth lies at the limit, and fails a build ' + 'in at most 0.3 %',
    () => {
      // What a run does: judge, stop at a verdict, otherwise go on.
      const gate = (addedUs: number) => (random: Random) => {
        const pairs = run(random, 80, addedUs)
        return decideAtAnalyses((look) => decidePaired(pairs.slice(0, look), (us) => us + addedUs).verdict).verdict
      }
      for (const [name, addedUs, runs] of [
        ['A/A, limit 0', 0, simulatedRuns(200)],
        ['+1 ms, limit 1 ms', 1_000, simulatedRuns(200)],
      ] as const) {
        const verdicts = tally(`${name}: analyses at 10/20/40/80`, runs, gate(addedUs))
        expect(verdicts.pass + verdicts.fail).toBeLessThanOrEqual(0.05)
        expect(verdicts.fail).toBeLessThanOrEqual(0.003)
      }
    },
  )

  it('ends early where the truth lies far off: A/A against 2 ms passes, +3 ms fails', () => {
    for (const [addedUs, verdict] of [
      [0, 'pass'],
      [3_000, 'fail'],
    ] as const) {
      let used = 0
      const limit = verdict === 'pass' ? 2_000 : 500
      const verdicts = tally(
        `+${addedUs / 1_000} ms, limit ${limit / 1_000} ms: analyses at 10/20/40/80`,
        200,
        (random) => {
          const pairs = run(random, 80, addedUs)
          const seen = decideAtAnalyses((look) => decidePaired(pairs.slice(0, look), (us) => us + limit).verdict)
          used += seen.pairs
          return seen.verdict
        },
      )
      process.stdout.write(`paired gate,   it took ${(used / 200).toFixed(1)} pairs of at most 80 in the mean\n`)
      expect(verdicts[verdict]).toBeGreaterThanOrEqual(0.95)
      expect(used / 200).toBeLessThan(40)
    }
  })

  it('sees +1 ms in at least 90 % of runs, and fails +2 ms against a limit of 0.9 ms', () => {
    const seen = rate('+1 ms, 20 pairs: power at one-sided 0.0125', 1_000, (random) => {
      return worseThanP(run(random, 20, 1_000), 0.99, same) <= ALPHA_PASS
    })
    expect(seen).toBeGreaterThanOrEqual(0.9)
    const failed = rate('+2 ms against 0.9 ms, 40 pairs: FAIL at 0.001', 500, (random) => {
      return worseThanP(run(random, 40, 2_000), 0.99, (us) => us + 900) <= ALPHA_FAIL
    })
    expect(failed).toBeGreaterThanOrEqual(0.9)
  })

  it('covers the true difference with its 95 % interval', () => {
    const missed = rate('+1 ms, 20 pairs: misses of the 95 % interval', 200, (random) => {
      const { lowerUs, upperUs } = pairedDifference(run(random, 20, 1_000), 0.99, 0.025)
      return lowerUs > 1_000 || upperUs < 1_000
    })
    expect(missed).toBeLessThanOrEqual(0.1)
  })
})
