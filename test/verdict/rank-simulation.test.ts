// How often equal gateways are told apart, by seeded simulation on a machine that drifts from block to block.
import { expect, it } from 'vitest'
import { runsOf } from '../../src/report/runs.ts'
import { rankGateways } from '../../src/verdict/rank.ts'
import { around, makeGateways } from '../support/make-report.ts'
import { simulatedRuns } from '../support/simulated-runs.ts'

const gateways = { a: { added: around(1) }, b: { added: around(1) }, c: { added: around(1) } }

it('calls nothing proven among equal gateways more often than it says', () => {
  const [alpha, runs] = [0.05, simulatedRuns(20)]
  let wrong = 0
  for (let seed = 1; seed <= runs; seed++) {
    const report = makeGateways(gateways, { seed, requests: 200, drifts: 0.2 })
    if (rankGateways(runsOf(report), alpha)?.differences.some(({ proven }) => proven)) wrong++
  }
  // Three standard errors above what it may be.
  expect(wrong).toBeLessThanOrEqual(runs * alpha + 3 * Math.sqrt(runs * alpha * (1 - alpha)))
})

it('proves a difference of a fifth in most runs', () => {
  const runs = simulatedRuns(5)
  let proven = 0
  for (let seed = 1; seed <= runs; seed++) {
    const report = makeGateways({ ...gateways, c: { added: around(1.2) } }, { seed, requests: 1_000, drifts: 0.2 })
    const higher = rankGateways(runsOf(report))?.differences.filter((one) => one.proven && one.quantile === 'p50')
    if (higher?.length === 2 && higher.every((one) => one.higher === 'c')) proven++
  }
  expect(proven).toBeGreaterThanOrEqual(0.8 * runs)
})
