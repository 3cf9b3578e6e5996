import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildRamp, parseStages, type RampStage, type RampStages, shiftRamp } from '../../src/schedule/ramp.ts'
import { fixedSlots, openLoop, rampedSlots } from '../../src/schedule/schedule.ts'

function stagesFrom(text: string): RampStages {
  const stages = parseStages(text)
  if (!stages.ok) throw new Error(stages.why)
  return stages.value
}

function countOf(stages: RampStages): number {
  const schedule = openLoop(buildRamp(stages.stages), { durationUs: stages.durationUs })
  let sent = 0
  while (schedule(0, sent).kind === 'due') sent++
  return sent
}

describe('--stages', () => {
  it('holds the first level, then moves in a straight line', () => {
    const stages = stagesFrom('10rps@30s,200rps@60s')
    expect(stages).toMatchObject({ of: 'rps', durationUs: 90_000_000, highest: 200 })
    const ramp = buildRamp(stages.stages)
    expect([0, 29.9, 30, 60, 89.999].map((s) => Math.round(ramp.levelAt(s * 1e6)))).toEqual([10, 10, 10, 105, 200])
    // 10/s for 30 s and 105/s on average for 60 s.
    expect(Math.abs(countOf(stages) - 6_600)).toBeLessThanOrEqual(1)
  })

  it('a stage of no time is a jump, a level of 0 is a pause', () => {
    expect(countOf(stagesFrom('10rps@2s,100rps@0s,100rps@1s'))).toBe(120)
    expect(countOf(stagesFrom('10rps@1s,0rps@0s,0rps@5s,10rps@0s,10rps@1s'))).toBe(20)
    expect(Math.abs(countOf(stagesFrom('0rps@0s,100rps@2s')) - 100)).toBeLessThanOrEqual(1)
  })

  it.each([
    ['', "'' is not a stage"],
    ['10rps', "'10rps' is not a stage"],
    ['10rps@', 'is not a stage'],
    ['10rps@5', 'is not a stage'],
    ['-5rps@5s', 'is not a stage'],
    ['10rps@5s,20@5s', 'or none of them'],
    ['1.5@5s', 'must be a whole number'],
    ['10rps@0s', 'no time at all'],
    ['0rps@5s', 'sends anything'],
    ['5@1s,', "'' is not a stage"],
  ])('refuses %s', (text, why) => {
    expect(parseStages(text)).toEqual({ ok: false, why: expect.stringContaining(why) })
  })

  const stage = fc.record({
    to: fc.integer({ min: 0, max: 500 }),
    durationUs: fc.integer({ min: 0, max: 3_000_000 }),
  })
  const ramps = fc
    .array(stage, { minLength: 1, maxLength: 6 })
    .map((raw) => raw.map((s, i): RampStage => ({ from: raw[i - 1]?.to ?? s.to, ...s })))

  it('sends as many requests as the area under the ramp, and none out of order', () => {
    fc.assert(
      fc.property(ramps, (stages) => {
        const durationUs = stages.reduce((sum, s) => sum + s.durationUs, 0)
        const area = stages.reduce((sum, s) => sum + ((s.from + s.to) / 2) * (s.durationUs / 1e6), 0)
        const ramp = buildRamp(stages)
        expect(ramp.upTo(durationUs)).toBeCloseTo(area, 3)
        const schedule = openLoop(ramp, { durationUs })
        let sent = 0
        let before = 0
        for (let pace = schedule(0, 0); pace.kind === 'due'; pace = schedule(0, ++sent)) {
          expect(pace.atUs).toBeGreaterThanOrEqual(before)
          before = pace.atUs
          // When the n-th is due, the ramp has made room for n.
          expect(ramp.upTo(pace.atUs)).toBeCloseTo(sent, 3)
        }
        expect(Math.abs(sent - area)).toBeLessThanOrEqual(1)
      }),
      { numRuns: 60 },
    )
  })

  it('cut into blocks, the parts are the whole', () => {
    fc.assert(
      fc.property(ramps, fc.integer({ min: 1, max: 20 }), (stages, blocks) => {
        const durationUs = stages.reduce((sum, s) => sum + s.durationUs, 0)
        const ramp = buildRamp(stages)
        const partUs = durationUs / blocks
        const parts = Array.from({ length: blocks }, (_, i) => shiftRamp(ramp, i * partUs).upTo(partUs))
        expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(ramp.upTo(durationUs), 3)
      }),
      { numRuns: 60 },
    )
  })
})

describe('slots', () => {
  it('follow the ramp, and end with it', () => {
    const { stages, durationUs } = stagesFrom('5@1s,50@9s')
    const slots = rampedSlots(buildRamp(stages), durationUs)
    expect([0, 1, 5.5, 9.999, 10].map((s) => slots(s * 1e6).count)).toEqual([5, 5, 28, 50, 0])
    expect(slots(10e6).untilUs).toBe(Number.POSITIVE_INFINITY)
    expect(fixedSlots(3)(5)).toEqual({ count: 3, untilUs: Number.POSITIVE_INFINITY })
  })

  it('shared by workers, the shares are the whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 99 }), (workers, level) => {
        const ramp = buildRamp([{ from: level, to: level, durationUs: 1 }])
        const shares = Array.from({ length: workers }, (_, i) => rampedSlots(ramp, 1, i, workers)(0).count)
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(level)
      }),
    )
  })
})
