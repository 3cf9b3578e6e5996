/**
 * What Kubernetes leaves of a node to pods. CPU: kubelet keeps 60 millicores of the first core, 10 of the second, 5 of
 * the third and fourth each, 2.5 of every further one (checked against 37 EKS sizes in aws/karpenter-provider-aws,
 * instance-types.md), so sixteen vCPU hold fifteen one-vCPU workers. Memory: the tiered rule GKE publishes, 25 % of the
 * first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112, 2 % above, and 100 MiB for eviction; used
 * only where no table was read.
 */

const GIB = 1024 ** 3

/** Millicores that pods can request on a node of `vcpu` cores. */
export function allocatableMillicores(vcpu: number): number {
  const reserved =
    60 * Math.min(1, vcpu) + 10 * between(vcpu - 1, 0, 1) + 5 * between(vcpu - 2, 0, 2) + 2.5 * Math.max(0, vcpu - 4)
  return vcpu * 1_000 - Math.ceil(reserved)
}

/** Bytes that pods can request on a node of `memoryGib`. */
export function allocatableMemoryBytes(memoryGib: number): number {
  const reservedGib =
    0.25 * Math.min(4, memoryGib) +
    0.2 * between(memoryGib - 4, 0, 4) +
    0.1 * between(memoryGib - 8, 0, 8) +
    0.06 * between(memoryGib - 16, 0, 112) +
    0.02 * Math.max(0, memoryGib - 128)
  return Math.max(0, Math.floor((memoryGib - reservedGib) * GIB) - 100 * 1024 ** 2)
}

/** Where a figure for the memory of pods comes from: a provider's table, or the rule above. */
export function memorySource(fromTable: boolean): string {
  return fromTable ? 'allocatable on EKS, AL2023 (2026-08)' : "by GKE's rule of reservation (2026-11)"
}

/** Workers of one vCPU that fit. */
export function workersPerNode(node: { allocatableMillicores: number }): number {
  return Math.floor(node.allocatableMillicores / 1_000)
}

function between(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
