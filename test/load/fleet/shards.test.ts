// The shares of workers: together they are, request for request, the run of one machine.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildPacing } from '../../../src/load/pacing.ts'
import { findBlock, planPhases, type RunPlan, shareOfPhase } from '../../../src/load/plan.ts'
import { RequestNumbers } from '../../../src/load/request-numbers.ts'
import { planFor } from '../../support/engine.ts'

/** When each measured request of a worker is due, its number, and the block that it counts in. */
function sends(plan: RunPlan, index: number, count: number): { number: number; atUs: number; block: number }[] {
  const worker = { index, count }
  const numbers = new RequestNumbers(plan, worker)
  return planPhases(plan).flatMap((phase) => {
    const own = shareOfPhase(phase, worker)
    const { schedule } = buildPacing(plan, own, worker, 0)
    const due: { number: number; atUs: number; block: number }[] = []
    for (let sent = 0; ; sent++) {
      const next = schedule(Number.MAX_SAFE_INTEGER, sent)
      if (next.kind !== 'due') return due
      due.push({ number: numbers.next(0, sent, 1), atUs: next.atUs, block: findBlock(own, sent, next.atUs) })
    }
  })
}

const byNumber = (a: { number: number }, b: { number: number }): number => a.number - b.number

describe('the union of all shares is the run of one machine', () => {
  const kind = fc.constantFrom('constant' as const, 'poisson' as const, 'gamma' as const)

  test('of an open loop: the same requests at the same instants, in the same blocks', () => {
    const run = fc.record({
      workers: fc.integer({ min: 1, max: 40 }),
      rps: fc.integer({ min: 1, max: 5_000 }),
      durationUs: fc.integer({ min: 100_000, max: 500_000 }),
      blocks: fc.integer({ min: 1, max: 20 }),
      seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      kind,
      ramped: fc.boolean(),
    })
    fc.assert(
      fc.property(run, ({ workers, rps, durationUs, blocks, seed, kind, ramped }) => {
        const stages = ramped ? [{ from: rps, to: rps * 2, durationUs }] : undefined
        const base = planFor('http://127.0.0.1:1', { requests: undefined, durationUs, blocks })
        const plan: RunPlan = {
          ...base,
          workload: { ...base.workload, seed },
          load: { mode: 'open', rps, maxInFlight: 1_000, arrival: { kind, burstiness: 0.5 }, stages },
        }
        const shares = Array.from({ length: workers }, (_, index) => sends(plan, index, workers)).flat()
        expect(shares.sort(byNumber)).toEqual(sends(plan, 0, 1))
      }),
      { numRuns: 60 },
    )
  })

  test('of a number of requests: each of them once', () => {
    const run = fc.record({
      workers: fc.integer({ min: 1, max: 40 }),
      requests: fc.integer({ min: 1, max: 2_000 }),
      concurrency: fc.integer({ min: 40, max: 100 }),
    })
    fc.assert(
      fc.property(run, ({ workers, requests, concurrency }) => {
        const plan = planFor('http://127.0.0.1:1', { requests, load: { mode: 'closed', concurrency } })
        const parts = Array.from({ length: workers }, (_, index) => sends(plan, index, workers))
        const slots = parts.map((_, index) => {
          const own = { index, count: workers }
          return buildPacing(plan, shareOfPhase(planPhases(plan)[0] ?? never(), own), own, 0).slotsAt(0).count
        })
        expect(slots.reduce((sum, count) => sum + count, 0)).toBe(concurrency)
        expect(
          parts
            .flat()
            .map(({ number }) => number)
            .sort((a, b) => a - b),
        ).toEqual(Array.from({ length: requests }, (_, number) => number))
      }),
      { numRuns: 60 },
    )
  })
})

function never(): never {
  throw new Error('a plan without a phase')
}
