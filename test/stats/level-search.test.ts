import { describe, expect, it } from 'vitest'
import {
  CONFIDENCE,
  findBracket,
  type JudgedLevel,
  judgeLevel,
  LOOKS,
  leastToMeet,
  nextLevel,
  searchLevels,
} from '../../src/stats/level-search.ts'
import { normal, randomFrom } from '../../src/stats/random.ts'
import type { BlockShare } from '../../src/stats/share-interval.ts'

const ALLOWED = 0.01
const BLOCKS = 20

/** A target whose share of late requests grows with the load, and is that of the limit at `knee`. */
function simulate(seed: string, knee: number, { steepness = 6, perStep = 2_000, noise = 0.3, rho = 0.5 } = {}) {
  const random = randomFrom(seed)
  let mood = normal(random)
  let looks = 0
  const seen = new Map<number, BlockShare[]>()
  const look = async (level: number, steps: number) => {
    looks++
    const blocks = seen.get(level) ?? []
    for (let i = 0; i < BLOCKS * steps; i++) {
      // Neighbouring blocks meet the same state of the machine.
      mood = rho * mood + Math.sqrt(1 - rho ** 2) * normal(random)
      const share = Math.min(0.9, ALLOWED * (level / knee) ** steepness * Math.exp(noise * mood - noise ** 2 / 2))
      const n = Math.round(perStep / BLOCKS)
      let over = 0
      for (let request = 0; request < n; request++) if (random() < share) over++
      blocks.push({ n, over })
    }
    seen.set(level, blocks)
    return { verdict: judgeLevel(blocks, ALLOWED) }
  }
  return { look, looks: () => looks }
}

async function search(seed: string, knee: number, options = {}, mostSteps = Number.POSITIVE_INFINITY) {
  const target = simulate(seed, knee, options)
  const measured: JudgedLevel[] = []
  for (const level of [50, 100, 200, 400]) measured.push({ level, ...(await target.look(level, 1)) })
  let steps = 0
  const { levels, complete } = await searchLevels(measured, {
    whole: false,
    look: target.look,
    mayMeasure: (more) => {
      steps += more
      return steps <= mostSteps
    },
  })
  return { ...findBracket(levels), levels, complete, steps, looks: target.looks() }
}

describe('a search on simulated targets', () => {
  it('brackets the true level, and errs at either end no more often than it says', async () => {
    const runs = 300
    let [wrongLow, wrongHigh, width] = [0, 0, 0]
    for (let seed = 0; seed < runs; seed++) {
      const knee = 120 + (seed % 50) * 5
      const { holds = 0, breaks = Number.POSITIVE_INFINITY, complete } = await search(`search/${seed}`, knee)
      expect(complete).toBe(true)
      if (holds > knee) wrongLow++
      if (breaks < knee) wrongHigh++
      width += breaks / Math.max(holds, 50) / runs
    }
    expect(wrongLow / runs).toBeLessThanOrEqual(1 - CONFIDENCE)
    expect(wrongHigh / runs).toBeLessThanOrEqual(1 - CONFIDENCE)
    expect(width).toBeLessThan(1.6)
  })

  it.each([
    ['correlated noise', { rho: 0.85 }],
    ['strong noise', { noise: 0.6 }],
    ['few requests', { perStep: 400 }],
    ['a sharp knee', { steepness: 20 }],
  ])('with %s too', async (name, options) => {
    const runs = 120
    let wrong = 0
    for (let seed = 0; seed < runs; seed++) {
      const knee = 120 + (seed % 50) * 5
      const { holds = 0, breaks = Number.POSITIVE_INFINITY } = await search(`${name}/${seed}`, knee, options)
      if (holds > knee || breaks < knee) wrong++
    }
    expect(wrong / runs).toBeLessThanOrEqual(2 * (1 - CONFIDENCE))
  })
})

describe('a level', () => {
  const blocks = (n: number, over: number, count = BLOCKS): BlockShare[] =>
    Array.from({ length: count }, () => ({ n, over }))

  it('is judged by the interval of its share, not by the share alone', () => {
    expect(judgeLevel(blocks(100, 0), ALLOWED)).toBe('met')
    expect(judgeLevel(blocks(100, 5), ALLOWED)).toBe('missed')
    const few = [...blocks(100, 0, 14), ...blocks(100, 2, 6)]
    expect(few.reduce((sum, { over }) => sum + over, 0) / 2_000).toBeLessThan(ALLOWED)
    expect(judgeLevel(few, ALLOWED)).toBe('undecided')
    expect(judgeLevel([], ALLOWED)).toBe('undecided')
  })

  it('needs a number of requests to be met, whatever they say', () => {
    const least = leastToMeet(ALLOWED)
    expect(judgeLevel(blocks(Math.ceil(least / BLOCKS), 0), ALLOWED)).toBe('met')
    expect(judgeLevel(blocks(Math.floor(least / BLOCKS) - 1, 0), ALLOWED)).toBe('undecided')
  })
})

describe('the order of levels', () => {
  const judged = (text: string): JudgedLevel[] =>
    text.split(' ').map((part) => {
      const verdicts = { m: 'met', x: 'missed', u: 'undecided', c: 'undecided' } as const
      const kind = part.at(-1) as keyof typeof verdicts
      return { level: Number.parseFloat(part), verdict: verdicts[kind], ...(kind === 'c' ? { ceiling: true } : {}) }
    })

  it.each([
    ['a level that is met above one that is missed proves nothing', '50m 100x 200m', 50, 100, []],
    ['undecided levels stand between the ends', '50m 100u 200x 400u', 50, 200, [100]],
    ['an undecided level below one that is met is settled', '50u 100m 200x', 100, 200, []],
    ['nothing is met', '50u 100x', undefined, 100, [50]],
    ['nothing is missed', '50m 100u', 50, undefined, [100]],
  ] as const)('%s', (_, levels, holds, breaks, open) => {
    expect(findBracket(judged(levels))).toEqual({ holds, breaks, open })
  })

  it.each([
    ['the geometric mean', '100m 400x', false, 200],
    ['below an undecided level, where the gap is larger', '100m 400u 500x', false, 200],
    ['above it, where that is larger', '300m 400u 1600x', false, 800],
    ['not above a level that no longer run decides', '390m 400c 1600x', false, undefined],
    ['a whole number of requests in flight', '4m 9x', true, 6],
    ['none between neighbours', '4m 5x', true, undefined],
    ['none within a twentieth', '100m 104x', false, undefined],
    ['none where nothing is missed', '100m 200m', false, undefined],
  ] as const)('next is %s', (_, levels, whole, next) => {
    expect(nextLevel(judged(levels), whole)).toBe(next)
  })

  it('an undecided level is measured longer, up to its last look, and the search ends with the time', async () => {
    const asked: [number, number][] = []
    const run = (mostSteps: number) => {
      asked.length = 0
      let steps = 0
      return searchLevels(judged('100m 200u 400x'), {
        whole: false,
        look: async (level, more) => {
          asked.push([level, more])
          steps += more
          return { verdict: level < 150 ? 'met' : level > 250 ? 'missed' : 'undecided' }
        },
        mayMeasure: (more) => steps + more <= mostSteps,
      })
    }
    const whole = await run(100)
    expect(whole.complete).toBe(true)
    // It was measured for a step already.
    expect(asked.filter(([level]) => level === 200).map(([, more]) => more)).toEqual([1, 2])
    expect(asked.filter(([level]) => level < 150 || level > 250).every(([, more]) => more === 1)).toBe(true)
    const { holds = 0, breaks = 0 } = findBracket(whole.levels)
    expect([holds > 130, breaks < 290]).toEqual([true, true])
    const cut = await run(4)
    expect(cut.complete).toBe(false)
    expect(asked.reduce((sum, [, more]) => sum + more, 0)).toBeLessThanOrEqual(4)
  })

  it('does not measure longer what no longer run decides', async () => {
    let looks = 0
    const { levels } = await searchLevels(judged('100m 400x'), {
      whole: false,
      look: async () => {
        looks++
        return { verdict: 'undecided', ceiling: true }
      },
      mayMeasure: () => true,
    })
    expect(looks).toBeLessThan(LOOKS.length * 4)
    expect(levels.filter(({ ceiling }) => ceiling).length).toBe(looks)
  })
})
