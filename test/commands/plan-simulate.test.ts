// `kt plan simulate` as a user runs it: the answer first, the same seed the same run, and what has no effect refused.
import { expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { renderSimulation } from '../../src/output/simulation-table.ts'
import { simulateFleet } from '../../src/plan/simulate/fleet.ts'
import { parseSimulationFlags, simulationRequest } from '../../src/planning/simulation-request.ts'
import { kt } from '../support/kt.ts'
import type { Typed } from '../support/plan.ts'

const requested = async (flags: Typed) => simulationRequest(parseSimulationFlags({ seed: '1', ...flags }))

const PEAKS = { 'input-peak': '80M', 'output-peak': '10M' }

test('the command: a lost zone, a burst and the autoscaler in one run', async () => {
  const args = [
    '--input-peak',
    '8M',
    '--output-peak',
    '1M',
    '--duration',
    '2m',
    '--lose-zone-at',
    '1m',
    '--burst',
    '2x10s',
    '--autoscale',
    '70%',
  ]
  const first = await kt(['plan', 'simulate', ...args])
  expect(first.code).toBe(0)
  expect(first.stdout).toMatch(/^P99 wait [\d.,]+ ms with \d+ workers, utilisation up to [\d.]+ %/)
  expect(first.stdout).toContain('streams broke off 60 s in')
  expect(first.stdout.replaceAll(/\n {20,}/g, ' ')).toMatch(
    /autoscaler +70 % +target, 3 to \d+ workers; new ones serve after 60 s, removed ones drain for 6 s/,
  )
  const json = await kt(['plan', 'simulate', ...args, '--json'])
  expect(JSON.parse(json.stdout)).toMatchObject({ schema: 'kt.plan.simulation/1', result: { seconds: 120 } })
  expect((await kt(['plan', 'simulate', ...args])).stdout).toBe(first.stdout)
})

test('without --workers it takes the plan at its lower redundancy; it fits 100 columns', async () => {
  const { traffic, options } = await requested({ ...PEAKS, duration: '10s' })
  expect(options.workers).toBe(61)
  const text = renderSimulation(traffic, options, simulateFleet(traffic, { ...options, budget: 100_000 }))
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
})

test.each([
  [{ 'lose-zone-for': '5m' }, '--lose-zone-for has no effect without --lose-zone-at'],
  [{ 'start-lag': '5s' }, '--start-lag has no effect without --autoscale'],
  [{ 'lose-zone-at': '20m' }, 'the run is only 600 s long'],
  [{ 'lose-zone-at': '2m', 'zones-lost': '0' }, 'loses no zone'],
  [{ workers: '20' }, '20 workers cannot carry it: the load is 150 % of their capacity'],
  [{ workers: '30' }, 'the load is 100 % of their capacity'],
  [{ workers: '0' }, '--workers: must be a whole number of at least 1, not 0'],
  [{ burst: '2' }, "'2' is not a factor of at least 1 and a time"],
  [{ burst: '0.5x30s' }, "'0.5x30s' is not a factor of at least 1 and a time"],
  [{ duration: '60d' }, 'longer than a week'],
  [{ autoscale: '0' }, '--autoscale: 0 would want workers without end'],
  [{ workers: '40', autoscale: '70%', 'max-workers': '10' }, '--max-workers 10 is below the 40 workers'],
])('%j is refused', async (flags, message) => {
  const refusal: unknown = await requested({ ...PEAKS, ...flags }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(UserError)
  expect((refusal as UserError).message).toContain(message)
})
