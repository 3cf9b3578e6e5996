/**
 * How often the budget gate fails a healthy gateway on a machine that other work starves, by seeded simulation of
 * single requests: the gateway adds 1.5 ms in the median and 4 ms at P99; spells of starvation begin at random, last
 * some tens of milliseconds and delay requests that meet them by an exponential time. The watch sees the wait of each
 * window of 25 ms, as machine-watch.ts does.
 */
import { describe, expect, it } from 'vitest'
import { judgeBudget } from '../../src/stats/gate.ts'
import type { GateBlock } from '../../src/stats/gate-block.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { logNormal, type Random, randomFrom } from '../../src/stats/random.ts'
import { heldUp } from '../../src/stats/starvation.ts'
import { simulatedRuns } from '../support/simulated-runs.ts'

const LIMIT_US = 7_000
const BLOCKS = 20
const SIZE = 75
const BLOCK_MS = 500
const WINDOW_MS = 25
const STARVED_SHARE = 0.1
const IN_FLIGHT = 4

interface Work {
  /** Spells begin this often, in each block of an arm with its own factor: uneven work meets the arms unequally. */
  spellsPerSec: number
  spellMs: number
  /** Mean delay of a request that meets a spell. */
  delayMs: number
}

/** What the direct arm meets of it: less, since one process less takes part, and the work is uneven. */
function beside(work: Work): Work {
  return { ...work, spellsPerSec: work.spellsPerSec / 8, delayMs: work.delayMs / 2 }
}

function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random())
}

function block(random: Random, addUs: (random: Random) => number, work: Work): GateBlock {
  const factor = exponential(random, 1)
  const spells: [number, number][] = []
  for (let ms = 0; work.spellsPerSec > 0; ) {
    ms += exponential(random, 1_000 / (work.spellsPerSec * factor))
    if (ms >= BLOCK_MS) break
    const end = ms + exponential(random, work.spellMs)
    spells.push([ms, end])
    ms = end
  }
  const values = new Histogram()
  for (let i = 0; i < SIZE; i++) {
    const atMs = random() * BLOCK_MS
    const met = spells.some(([from, to]) => atMs >= from - 20 && atMs <= to)
    values.record(addUs(random) + (met ? exponential(random, work.delayMs) * 1_000 : 0))
  }
  // In a spell some thread of kt, the gateway or the provider waits all the time.
  const windows = Array.from({ length: BLOCK_MS / WINDOW_MS }, (_, i) => {
    const [from, to] = [i * WINDOW_MS, (i + 1) * WINDOW_MS]
    const waitMs = spells.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from)), 0)
    return waitMs > STARVED_SHARE * WINDOW_MS
  })
  const starved = {
    spanMs: BLOCK_MS,
    starvedMs: windows.filter(Boolean).length * WINDOW_MS,
    starvedSpells: windows.filter((is, i) => is && !windows[i - 1]).length,
  }
  return { values, failed: 0, unfinished: 0, heldUp: heldUp(SIZE, starved, IN_FLIGHT) }
}

function rates(name: string, addUs: (random: Random) => number, work: Work, runs: number) {
  const random = randomFrom(name)
  const seen = { pass: 0, fail: 0, inconclusive: 0, unwatched: 0 }
  for (let run = 0; run < runs; run++) {
    const blocks = Array.from({ length: BLOCKS }, () => block(random, addUs, work))
    const floor = Array.from({ length: BLOCKS }, () => block(random, (r) => logNormal(r, 300, 0.3), beside(work)))
    const judge = (given: readonly GateBlock[]) =>
      judgeBudget({ limitUs: LIMIT_US, blocks: given, floor, client: 'ok', unread: 0 }).verdict
    seen[judge(blocks)]++
    if (judge(blocks.map((one) => ({ ...one, heldUp: 0 }))) === 'fail') seen.unwatched++
  }
  const percent = (count: number): string => `${((100 * count) / runs).toFixed(1)} %`.padStart(8)
  process.stdout.write(
    `budget gate, ${name}: PASS ${percent(seen.pass)}  FAIL ${percent(seen.fail)}  (without the watch ` +
      `${percent(seen.unwatched)}, ${runs} runs)\n`,
  )
  return { pass: seen.pass / runs, fail: seen.fail / runs, unwatched: seen.unwatched / runs }
}

const healthy = (random: Random): number => logNormal(random, 1_500, 0.42)
const delayed = (random: Random): number => 15_000 + healthy(random)
const tailed = (random: Random): number => (random() < 0.05 ? 20_000 : healthy(random))

const QUIET: Work = { spellsPerSec: 0, spellMs: 0, delayMs: 0 }
const UNEVEN: Work = { spellsPerSec: 2, spellMs: 40, delayMs: 15 }
const BUSY: Work = { spellsPerSec: 12, spellMs: 60, delayMs: 20 }
const RUNS = simulatedRuns(60)

describe('the budget gate on a starved machine, in simulation', () => {
  it('a healthy gateway beside work: at most 0.3 % FAIL, which without the watch uneven work would make', () => {
    const { fail, unwatched } = rates('a healthy gateway beside uneven work', healthy, UNEVEN, RUNS)
    expect(fail).toBeLessThanOrEqual(0.003)
    expect(unwatched).toBeGreaterThan(0.05)
    expect(rates('a healthy gateway beside much work', healthy, BUSY, RUNS).fail).toBeLessThanOrEqual(0.003)
  })

  it('a quiet machine lets it pass, fails a tail and fails 15 ms', () => {
    expect(rates('a healthy gateway alone', healthy, QUIET, RUNS).pass).toBeGreaterThan(0.95)
    expect(rates('a tail of 5 % alone', tailed, QUIET, RUNS).fail).toBeGreaterThan(0.95)
    expect(rates('15 ms more alone', delayed, QUIET, RUNS).fail).toBe(1)
  })

  it('15 ms more beside work never pass, and mostly fail by their median', () => {
    for (const [name, work] of [
      ['15 ms more beside uneven work', UNEVEN],
      ['15 ms more beside much work', BUSY],
    ] as const) {
      const { pass, fail } = rates(name, delayed, work, RUNS)
      expect(pass).toBe(0)
      expect(fail).toBeGreaterThan(0.7)
    }
  })
})
