/**
 * From workers and bits to machines. A Kubernetes node does not give all its CPU to pods: kubelet keeps 60 millicores of the
 * first core, 10 of the second, 5 of the third and fourth each, 2.5 of every further one (checked against 37 EKS sizes in
 * aws/karpenter-provider-aws, instance-types.md), so sixteen vCPU hold fifteen one-vCPU workers.
 */
import { wholeUp } from './formula.ts'
import type { Demand, NetworkFigures, NodeType } from './sizing.ts'

/** Millicores that pods can request on a node of `vcpu` cores. */
export function allocatableMillicores(vcpu: number): number {
  const reserved =
    60 * Math.min(1, vcpu) + 10 * clamp(vcpu - 1, 0, 1) + 5 * clamp(vcpu - 2, 0, 2) + 2.5 * Math.max(0, vcpu - 4)
  return vcpu * 1_000 - Math.ceil(reserved)
}

/** Workers of one vCPU that fit. */
export function workersPerNode(node: NodeType): number {
  return Math.floor(allocatableMillicores(node.vcpu) / 1_000)
}

/** Gbit/s that cross the gateway each way at the peak: prompts in and on, tokens back and on. */
export function bandwidthGbps(demand: Demand, network: NetworkFigures): number {
  const bytesPerSec =
    demand.inputTokensPerSec * network.inputBytesPerToken + demand.outputTokensPerSec * network.outputBytesPerToken
  return (bytesPerSec * 8) / 1e9
}

/** Nodes that `factor` times the demand needs, by CPU and by network. */
export function nodesFor(
  raw: { workers: number; gbps: number },
  factor: number,
  node: NodeType,
  network: NetworkFigures,
): { cpu: number; network: number } {
  return {
    cpu: wholeUp(wholeUp(factor * raw.workers) / workersPerNode(node)),
    network: wholeUp((factor * raw.gbps) / (node.bandwidthGbps * network.targetUtilisation)),
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
