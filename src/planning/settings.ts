/**
 * What a plan comes to in a cluster: pods, their resources, how they spread and drain, and between which bounds they
 * scale. One place for all targets, so that Deployment, Helm values and Kong's own configuration never disagree.
 */

import { scalingBounds } from '../plan/autoscaling.ts'
import { bufferProfileFor, planBuffers } from '../plan/buffers.ts'
import { wholeUp } from '../plan/cpu.ts'
import type { Demand } from '../plan/demand.ts'
import type { PlanChoices } from '../plan/plan.ts'
import type { Sizing } from '../plan/sizing.ts'
import type { Plan } from '../report/plan-schema.ts'

export interface EmitOptions {
  name: string
  namespace: string
  image: string
  providerUrl: string
  prometheusUrl: string
}

export interface ClusterSettings extends EmitOptions {
  answer: string
  /** One worker a pod. */
  replicas: number
  minReplicas: number
  maxReplicas: number
  cpu: { requestMillicores: number; limitMillicores: number }
  memory: { requestMib: number; limitMib: number }
  zones: number
  maxUnavailable: string
  maxSurge: string
  targetPercent: number
  preStopS: number
  gracePeriodS: number
  /** The P99.9 of a stream. */
  longestStreamS: number
  upstream: 'h1' | 'h2'
  /** Upstream connections of one worker at its share of the upper plan. */
  upstreamConnections: number
  /** Requests that a worker may have in flight: more are answered with 503 before it collapses. */
  mostInFlight: number
  connectionsPerWorker: number
  bodies: { name: string; bodyBytes: number; bufferBytes: number }
  /** Bytes/s that one pod sends at the peak. */
  sentBytesPerSec: number
  node: PlanChoices['node']
  nodes: { min: number; max: number }
}

/**
 * Sigma of ln output tokens of chat (Azure LLM inference trace 2023, log-normal fit), and 3.09 for the 99.9th
 * percentile.
 */
const OUTPUT_SIGMA = 0.859
const Z_999 = 3.09
/** Until endpoints and load balancers have heard that the pod goes. */
const PRE_STOP_S = 15
const MARGIN_S = 10
const MIB = 1024 ** 2

export function clusterSettings(
  plan: Plan,
  answer: string,
  demand: Demand,
  sizing: Sizing,
  choices: PlanChoices,
  options: EmitOptions,
): ClusterSettings {
  const { figures, parts, setting } = choices
  const { fleet, answer: need } = plan
  const replicas = fleet.pods.steady
  const bounds = scalingBounds(fleet, need.workers.max)
  const tokens =
    (demand.request.outputTokens + demand.request.hiddenTokens) * Math.exp(Z_999 * OUTPUT_SIGMA - OUTPUT_SIGMA ** 2 / 2)
  const longestStreamS = Math.ceil(figures.ttftS.value + tokens / figures.tokensPerSecPerStream.value)
  const size = resources(fleet.pod, sizing)
  const inFlight = plan.demand.inFlight / replicas
  // Twice the mean share: connections are not spread evenly. What may be in flight must find its connection.
  const mostInFlight = Math.max(64, wholeUp(2 * inFlight))
  const streams = setting.upstream === 'h2' ? figures.h2StreamsPerConnection.value : 1
  return {
    ...options,
    answer,
    replicas,
    minReplicas: bounds.min,
    maxReplicas: bounds.max,
    ...size,
    zones: parts.zones,
    maxUnavailable: parts.zonesLost > 0 ? `${Math.floor((100 * parts.zonesLost) / parts.zones)}%` : '1',
    maxSurge: `${Math.max(1, Math.round(parts.surge * 100))}%`,
    // The autoscaler counts in what a pod requests.
    targetPercent: Math.max(1, Math.floor((bounds.target * 100_000) / size.cpu.requestMillicores)),
    preStopS: PRE_STOP_S,
    gracePeriodS: PRE_STOP_S + longestStreamS + MARGIN_S,
    longestStreamS,
    upstream: setting.upstream,
    upstreamConnections: Math.max(16, wholeUp(mostInFlight / streams)),
    mostInFlight,
    connectionsPerWorker: figures.connectionsPerWorker.value,
    bodies: chooseBodies(demand, sizing, choices),
    sentBytesPerSec: Math.max(1, Math.round((plan.nodes.eachWayGbps * 1e9) / 8 / replicas)),
    node: choices.node,
    nodes: { min: fleet.nodes.steady, max: Math.max(fleet.nodes.surging, need.nodes.max) },
  }
}

/** The pod of the answer; a gateway that half a worker carries gets the guide's own limits. */
function resources({ cpuMillicores, memoryMib }: Plan['fleet']['pod'], { container }: Sizing) {
  const small = cpuMillicores < 1_000
  return {
    cpu: { requestMillicores: cpuMillicores, limitMillicores: container.cpuLimitMillicores },
    memory: { requestMib: memoryMib, limitMib: small ? container.memoryLimitBytes / MIB : 2 * memoryMib },
  }
}

/** Of the mean prompt ten times over: the profile must hold the large ones. */
function chooseBodies(demand: Demand, sizing: Sizing, { figures }: PlanChoices): ClusterSettings['bodies'] {
  const large = demand.request.inputTokens * figures.inputBytesPerToken.value * 10
  const profile = bufferProfileFor(large, sizing) ?? sizing.buffers.profiles.at(-1)
  if (!profile) throw new Error('a sizing profile without buffers')
  const { bodyBytes, bufferBytes } = planBuffers(profile, 1, 1, {
    largestPromptBytes: Math.min(large, profile.promptBelowBytes),
  })
  return { name: profile.name, bodyBytes, bufferBytes }
}
