// `kt plan simulate` as a user runs it: the answer first, the same seed the same run, and what has no effect refused.
import { expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { renderSimulation } from '../../src/output/simulation-table.ts'
import { simulate } from '../../src/plan/simulate/simulate.ts'
import { emitRequest } from '../../src/planning/emit-flags.ts'
import { parsePlanFlags } from '../../src/planning/plan-options.ts'
import { planReport } from '../../src/planning/plan-request.ts'
import { clusterSettings } from '../../src/planning/settings.ts'
import { parseSimulationFlags, simulationRequest } from '../../src/planning/simulation-request.ts'
import { PAGE } from '../support/page.ts'
import type { Typed } from '../support/plan.ts'
import { run as kt } from '../support/run-command.ts'

const requested = async (flags: Typed) => simulationRequest(parseSimulationFlags({ seed: '1', runs: '5', ...flags }))

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
    'planned',
    '--runs',
    '2',
  ]
  const first = await kt(['plan', 'simulate', ...args])
  expect(first.code).toBe(0)
  expect(first.stdout).toMatch(
    /^(?:NOT CARRIED: )?P99 wait [\d.,]+ ms \([\d.,]+-[\d.,]+\) with \d+ workers on \d+ \S+, CPU up to/,
  )
  expect(first.stdout).toContain('streams broke off 60 s in')
  expect(first.stdout.replaceAll(/\n {20,}/g, ' ')).toMatch(
    /autoscaler +[\d.]+ % +target, \d+ to \d+ workers; new ones serve after 60 s, removed ones drain for 6 s/,
  )
  const json = await kt(['plan', 'simulate', ...args, '--json'])
  expect(JSON.parse(json.stdout)).toMatchObject({ schema: 'kt.plan.simulation/1', result: { seconds: 120 } })
  expect((await kt(['plan', 'simulate', ...args])).stdout).toBe(first.stdout)
})

test('without --workers it takes what kt plan deploys, on its nodes; it fits 100 columns', async () => {
  const { traffic, options, node } = await requested({ ...PEAKS, duration: '10s' })
  const { plan } = await planReport(parsePlanFlags(PEAKS, 'kt plan'))
  expect(options.workers).toBe(plan.fleet.pods.steady)
  expect(options.limits?.nodes).toBe(plan.fleet.nodes.steady)
  const text = renderSimulation(traffic, options, node, simulate(traffic, { ...options, budget: 100_000 }, 2), PAGE)
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
})

const run = async (flags: Typed) => {
  const { traffic, options, runs } = await requested({ ...PEAKS, runs: '1', duration: '60s', ...flags })
  return simulate(traffic, { ...options, budget: 300_000 }, runs)
}

test('the network of the chosen node is simulated: on few small ones it does not carry the load', async () => {
  const enough = await run({})
  expect(enough.limits?.network.overS).toBe(0)
  // At the peak, of all zones: 26 Gbit/s on 30 nodes of 5.
  expect(enough.limits?.network.peak).toBeGreaterThan(0.17)
  expect(enough.limits?.network.peak).toBeLessThan(0.25)
  const few = await run({ nodes: '5', workers: '75' })
  expect(few.limits?.network.peak).toBeGreaterThan(1)
  expect(few.limits?.network.delayMs).toBeGreaterThan(500)
  const small = await run({ node: 'c5.large', workers: '75', nodes: '75' })
  expect(small.limits?.network.peak).toBeGreaterThan((enough.limits?.network.peak ?? 0) * 1.5)
})

test('connections are simulated: a worker that may hold few refuses', async () => {
  const enough = await run({})
  expect(enough.limits?.connections.refusedShare).toBe(0)
  const few = await run({ workers: '186', 'connections-per-worker': '1000' })
  // 247k in flight on 186 workers are 1,330 a worker, and it may hold 500.
  expect(few.limits?.connections.refusedShare).toBeGreaterThan(0.5)
})

test('memory is simulated', async () => {
  const fits = await run({})
  expect(fits.limits?.memory.peak).toBeLessThan(0.5)
  expect(
    (await run({ workers: '186', nodes: '30', 'memory-per-stream': '10MiB' })).limits?.memory.peak,
  ).toBeGreaterThan(1)
})

test('the autoscaler as it is emitted holds through a lost zone; a target of 70 % does not', async () => {
  const flags = { duration: '25m', 'lose-zone-at': '15m', runs: '1' }
  const at = async (autoscale: Typed) => {
    const { traffic, options } = await requested({ ...PEAKS, ...flags, ...autoscale })
    return simulate(traffic, { ...options, budget: 500_000 }, 1)
  }
  const [fixed, planned, loose] = [
    await at({}),
    await at({ autoscale: 'planned' }),
    await at({ workers: '75', autoscale: '70%', 'min-workers': '3' }),
  ]
  expect(planned.overloadedS).toBe(0)
  expect(planned.wait.p99Ms.value).toBeLessThan(fixed.wait.p99Ms.value * 1.5)
  expect(loose.overloadedS).toBeGreaterThan(30)
  expect(loose.wait.p99Ms.value).toBeGreaterThan(10 * planned.wait.p99Ms.value)
})

test('the autoscaler that is simulated is the one in the manifests', async () => {
  const { options } = await requested({ ...PEAKS, autoscale: 'planned' })
  const request = { emit: ['kubernetes'], out: 'unused' }
  const { plan, demand, sizing, choices } = await planReport(parsePlanFlags({ ...PEAKS, ...request }, 'kt plan'))
  const emitting = emitRequest(parsePlanFlags({ ...PEAKS, ...request }, 'kt plan'))
  if (!emitting) throw new Error('nothing to emit')
  const settings = clusterSettings(plan, '', demand, sizing, choices, emitting.options)
  expect([options.autoscaler?.min, options.autoscaler?.max]).toEqual([settings.minReplicas, settings.maxReplicas])
  expect(Math.floor((options.autoscaler?.target ?? 0) * 100)).toBe(settings.targetPercent)
})

test.each([
  [{ 'lose-zone-for': '5m' }, '--lose-zone-for has no effect without --lose-zone-at'],
  [{ 'min-workers': '5' }, '--min-workers has no effect without --autoscale'],
  [{ nodes: '3', workers: '60' }, '3 nodes like c5.4xlarge hold 45 workers, not 60'],
  [{ runs: '1000' }, 'more than 100 add nothing'],
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
