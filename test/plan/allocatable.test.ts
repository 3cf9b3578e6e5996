// What Kubernetes leaves of a node to pods.
import { expect, test } from 'vitest'
import { allocatableMemoryBytes, allocatableMillicores, workersPerNode } from '../../src/plan/allocatable.ts'

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
  expect(workersPerNode({ allocatableMillicores: allocatableMillicores(16) })).toBe(15)
})

// The rule of GKE: 25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112, and 100 MiB.
test('memory: 16 GiB keep 2.6 GiB and 100 MiB back, 32 GiB 3.56 GiB and 100 MiB', () => {
  const mib = 1024 ** 2
  expect(allocatableMemoryBytes(16)).toBe(Math.floor((16 - 2.6) * 1024 ** 3) - 100 * mib)
  expect(allocatableMemoryBytes(32)).toBe(Math.floor((32 - 3.56) * 1024 ** 3) - 100 * mib)
  expect(allocatableMemoryBytes(0.25)).toBeGreaterThan(0)
})
