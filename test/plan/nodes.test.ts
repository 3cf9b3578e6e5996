// Machines: what Kubernetes leaves of a node, and what the network asks for.
import { expect, test } from 'vitest'
import { readSizing } from '../../src/input/sizing.ts'
import { allocatableMillicores, bandwidthGbps, nodesFor, workersPerNode } from '../../src/plan/nodes.ts'

const { network, node } = readSizing()
const demand = { inputTokensPerSec: 80e6, outputTokensPerSec: 10e6 }

// aws/karpenter-provider-aws at 1d927085, website/content/en/preview/reference/instance-types.md
test.each([
  [1, 940],
  [2, 1930],
  [4, 3920],
  [8, 7910],
  [16, 15890],
  [36, 35840],
  [48, 47810],
  [64, 63770],
  [72, 71750],
  [96, 95690],
  [128, 127610],
])('%d vCPU leave %d millicores to pods', (vcpu, millicores) => {
  expect(allocatableMillicores(vcpu)).toBe(millicores)
})

test('sixteen vCPU hold fifteen workers', () => {
  expect(node.vcpu).toBe(16)
  expect(workersPerNode(node)).toBe(15)
})

test('80M in and 10M out cross the gateway at 26.08 Gbit/s each way', () => {
  expect(bandwidthGbps(demand, network)).toBeCloseTo((80e6 * 4.5 + 10e6 * 290) * 8e-9, 9)
  expect(bandwidthGbps(demand, network)).toBeCloseTo(26.08, 9)
})

test('at 70 % of the baseline of c5.4xlarge the network needs 8 nodes where the CPU needs 2, or 8 at 4x', () => {
  const raw = { workers: 30, gbps: bandwidthGbps(demand, network) }
  expect(nodesFor(raw, 1, node, network)).toEqual({ cpu: 2, network: 8 })
  expect(nodesFor(raw, 4, node, network)).toEqual({ cpu: 8, network: 30 })
})
