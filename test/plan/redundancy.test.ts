// The fleet that is deployed: every constraint carried through burst, zone loss and deployment, whole in whole zones,
// and a product that says what the parts say.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Need } from '../../src/plan/need.ts'
import { type FleetDemand, sizeFleet } from '../../src/plan/redundancy.ts'

const none = { factor: 1, why: 'a test' }

function demand(cpu: number, networkNodes: number, burst = 1): FleetDemand {
  const need = (name: Need['name'], per: Need['per'], of: number) => (factor: number) =>
    ({ name, per, need: of * factor, formula: '', inputs: [] }) satisfies Need
  const needs = [need('cpu', 'worker', cpu), need('network', 'node', networkNodes)]
  return {
    needsAt: (factor) => needs.map((at) => at(factor)),
    workersPerNode: 10,
    burst: { factor: burst, why: 'a test' },
    uncertaintyOf: () => none,
  }
}

test('30 workers over 3 zones, one of them lost, planned to 70 %: 22 in each, 83 while deploying', () => {
  // 30 / 0.7 = 42.9 -> 43; one more 44; 44 / 2 = 22 a zone; 66; a quarter more 82.5 -> 83; ten fit on a node
  const fleet = sizeFleet(demand(30, 0.1), { zones: 3, zonesLost: 1, surge: 0.25, targetUtilisation: 0.7 })
  expect(fleet).toMatchObject({
    binding: 'cpu',
    pods: { perZone: 22, steady: 66, surging: 83 },
    nodes: { perZone: 3, steady: 9, surging: 9 },
  })
  expect(fleet.redundancy.parts.map(({ name }) => name)).toEqual([
    'burst',
    'uncertainty',
    'target utilisation',
    'one more',
    'zone loss',
    'deploy surge',
  ])
})

test('a network that binds gets the burst, the node more and the zone, and its nodes are deployed', () => {
  // 8 x 2.5 = 20 nodes, one more 21, 11 in each of two that are left: 33. The CPU: 107.2 -> 109 -> 55 a zone, on 6
  // nodes.
  const fleet = sizeFleet(demand(30, 8, 2.5), { zones: 3, zonesLost: 1, surge: 0.25, targetUtilisation: 0.7 })
  expect(fleet).toMatchObject({
    binding: 'network',
    next: 'cpu',
    pods: { perZone: 55, steady: 165 },
    nodes: { perZone: 11, steady: 33, surging: 33 },
    redundancy: { of: 'network', per: 'node', raw: 8 },
  })
  expect(fleet.redundancy.product).toBeCloseTo(33 / 8, 12)
})

test('nothing asked for leaves the workers and one more', () => {
  const fleet = sizeFleet(demand(30, 0.1), { zones: 1, zonesLost: 0, surge: 0, targetUtilisation: 1 })
  expect(fleet.pods).toEqual({ perZone: 31, steady: 31, surging: 31 })
})

test("the autoscaler's target leaves what is left without a zone at the planned share, bursting", () => {
  const parts = { zones: 3, zonesLost: 1, surge: 0, targetUtilisation: 0.7 }
  expect(sizeFleet(demand(30, 0.1), parts).cpuTarget).toBeCloseTo((0.7 * 2) / 3, 12)
  expect(sizeFleet(demand(30, 0.1, 2), parts).cpuTarget).toBeCloseTo((0.35 * 2) / 3, 12)
})

const parts = fc.record({
  zones: fc.integer({ min: 2, max: 6 }),
  zonesLost: fc.integer({ min: 0, max: 1 }),
  surge: fc.double({ min: 0, max: 1, noNaN: true }),
  targetUtilisation: fc.double({ min: 0.1, max: 1, noNaN: true }),
})
const load = fc.double({ min: 0.1, max: 10_000, noNaN: true })

test('the zones that are left carry every constraint without the one more; the parts multiply to the product', () => {
  fc.assert(
    fc.property(load, load, parts, fc.double({ min: 1, max: 5, noNaN: true }), (cpu, network, p, burst) => {
      const { pods, nodes, redundancy } = sizeFleet(demand(cpu, network, burst), p)
      const left = p.zones - p.zonesLost
      expect(pods.perZone * left - 1).toBeGreaterThanOrEqual(((cpu * burst) / p.targetUtilisation) * (1 - 1e-9))
      expect(nodes.perZone * left - 1).toBeGreaterThanOrEqual(network * burst * (1 - 1e-9))
      expect(nodes.perZone * 10).toBeGreaterThanOrEqual(pods.perZone)
      expect(pods.surging).toBeGreaterThanOrEqual(pods.steady)
      expect(nodes.surging * 10).toBeGreaterThanOrEqual(pods.surging)
      const used = redundancy.of === 'cpu' ? p.targetUtilisation : 1
      const carried = Math.ceil((redundancy.raw * burst) / used - 1e-9)
      const product = redundancy.parts.reduce((sum, { factor }) => sum * factor, 1)
      // The product of the parts starts at the whole number that carries the load.
      expect(product / (((redundancy.product * redundancy.raw) / carried) * (burst / used))).toBeCloseTo(1, 6)
    }),
  )
})
