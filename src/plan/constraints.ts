/**
 * Everything that can bind before, or instead of, the CPU of the vendor's formula: network, connections, descriptors,
 * ports and memory. Each needs workers or nodes; both are counted in nodes to be compared, since that is what is
 * bought. What a factor of redundancy multiplies is the demand, so every need here is proportional to it. References:
 * Little's law (requests in flight = rate x time); nginx worker_connections; Linux ip_local_port_range and TIME_WAIT.
 */

import { workersByFigures } from './cpu.ts'
import type { Demand } from './demand.ts'
import { figureInput, type PlanFigures } from './figures.ts'
import { catalogueInput, computedInput, demandInput, type Need, type NodeCapacity } from './need.ts'
import { bandwidthGbps, eventNeeds } from './wire-needs.ts'

/** The machine and the wiring that the needs are counted for. */
export interface UpstreamSetting {
  upstream: 'h1' | 'h2'
  /** Whether connections to the provider are kept for the next request. */
  upstreamKeepAlive: boolean
  /** Addresses that the provider's name resolves to. */
  providerAddresses: number
}

/**
 * Requests in flight at the peak, by Little's law: time to the first token that is generated, then all tokens at the
 * stream's pace. Hidden ones do not cross the gateway, but the connection waits for them.
 */
export function requestsInFlight(demand: Demand, figures: PlanFigures): number {
  const generated = demand.outputTokensPerSec + demand.hiddenTokensPerSec
  return demand.requestsPerSec * figures.ttftS.value + generated / figures.tokensPerSecPerStream.value
}

/** Connections that a request in flight holds to the provider. */
export function upstreamPerRequest(demand: Demand, figures: PlanFigures, { upstream }: UpstreamSetting): number {
  return (1 - demand.cacheHitShare) / (upstream === 'h2' ? figures.h2StreamsPerConnection.value : 1)
}

/** On both sides. */
export function connectionsPerRequest(demand: Demand, figures: PlanFigures, setting: UpstreamSetting): number {
  return 1 + upstreamPerRequest(demand, figures, setting)
}

/** Memory of a request in flight: its stream, and its body up to the buffer. */
export function bytesPerRequest({ request }: Demand, figures: PlanFigures): number {
  const body = request.inputTokens * figures.inputBytesPerToken.value
  return figures.bytesPerStream.value + Math.min(body, figures.bodyBufferBytes.value)
}

/** The memory of the fleet: workers, streams, and request bodies held while a request is in flight. */
export function memoryBytes(
  workers: number,
  demand: Demand,
  figures: PlanFigures,
): { workers: number; streams: number; bodies: number } {
  const inFlight = requestsInFlight(demand, figures)
  const stream = figures.bytesPerStream.value
  return {
    workers: workers * figures.baseBytesPerWorker.value,
    streams: inFlight * stream,
    bodies: inFlight * (bytesPerRequest(demand, figures) - stream),
  }
}

export function cpuNeed(demand: Demand, figures: PlanFigures): Need {
  return {
    name: 'cpu',
    per: 'worker',
    need: workersByFigures(demand, figures),
    formula: `(input / R + output) / O_w${figures.requestCpuMs.value > 0 ? ' + requests/s x CPU of a request' : ''}`,
    inputs: [
      demandInput('input', demand.inputTokensPerSec, 'tokens/s', demand),
      demandInput('output', demand.outputTokensPerSec, 'tokens/s', demand),
      figureInput(figures, 'ratio'),
      figureInput(figures, 'outputPerWorker'),
      ...(figures.requestCpuMs.value > 0
        ? [demandInput('requests/s', demand.requestsPerSec, '', demand), figureInput(figures, 'requestCpuMs')]
        : []),
    ],
  }
}

/** All needs but the CPU's; `cpuWorkers` are the workers whose own memory counts. */
export function otherNeeds(
  demand: Demand,
  figures: PlanFigures,
  setting: UpstreamSetting,
  node: NodeCapacity,
  cpuWorkers: number,
): Need[] {
  const inFlight = requestsInFlight(demand, figures)
  const upstream = inFlight * upstreamPerRequest(demand, figures, setting)
  const connections = inFlight + upstream
  const spilled =
    demand.request.inputTokens * figures.inputBytesPerToken.value > figures.bodyBufferBytes.value ? inFlight : 0
  const hidden = demand.hiddenTokensPerSec > 0
  const flightInputs = [
    demandInput('requests/s', demand.requestsPerSec, '', demand),
    figureInput(figures, 'ttftS'),
    demandInput('output', demand.outputTokensPerSec, 'tokens/s', demand),
    ...(hidden ? [demandInput('hidden', demand.hiddenTokensPerSec, 'tokens/s', demand)] : []),
    figureInput(figures, 'tokensPerSecPerStream'),
    computedInput('in flight', inFlight, ''),
  ]
  const memory = memoryBytes(cpuWorkers, demand, figures)
  return [
    {
      name: 'network',
      per: 'node',
      need: bandwidthGbps(demand, figures) / (node.bandwidthGbps * figures.networkUtilisation.value),
      formula:
        '(input x bytes per input token + output x bytes per output token) x 8 / (bandwidth x share of bandwidth)',
      inputs: [
        demandInput('input', demand.inputTokensPerSec, 'tokens/s', demand),
        figureInput(figures, 'inputBytesPerToken'),
        demandInput('output', demand.outputTokensPerSec, 'tokens/s', demand),
        figureInput(figures, 'outputBytesPerToken'),
        ...(demand.request.streamedShare < 1
          ? [
              demandInput('streamed share', demand.request.streamedShare, '', demand),
              figureInput(figures, 'jsonBytesPerToken'),
            ]
          : []),
        computedInput('each way', bandwidthGbps(demand, figures), 'Gbit/s'),
        catalogueInput('bandwidth', node.bandwidthGbps, 'Gbit/s', node.type, node.source),
        figureInput(figures, 'networkUtilisation'),
      ],
    },
    {
      name: 'connections',
      per: 'worker',
      need: connections / figures.connectionsPerWorker.value,
      formula:
        `(requests/s x TTFT + ${hidden ? '(output + hidden)' : 'output'} / tokens/s per stream) x ` +
        `(client + upstream ${setting.upstream}) / connections per worker`,
      inputs: [
        ...flightInputs,
        computedInput('connections', connections, ''),
        figureInput(figures, 'connectionsPerWorker'),
        ...(setting.upstream === 'h2' ? [figureInput(figures, 'h2StreamsPerConnection')] : []),
      ],
    },
    {
      name: 'descriptors',
      per: 'worker',
      need: (connections + spilled) / figures.descriptorsPerWorker.value,
      formula: '(connections + bodies spilled to disk) / descriptors per worker',
      inputs: [
        computedInput('connections', connections, ''),
        computedInput('spilled bodies', spilled, ''),
        figureInput(figures, 'descriptorsPerWorker'),
      ],
    },
    ...eventNeeds(demand, figures, node),
    portsNeed(demand, figures, setting, upstream),
    {
      name: 'memory',
      per: 'node',
      need: (memory.workers + memory.streams + memory.bodies) / node.memoryBytes,
      formula:
        '(workers x memory of a worker + in flight x (memory per stream + min(body, body buffer))) / memory for pods',
      inputs: [
        computedInput('workers', memory.workers, 'B'),
        computedInput('streams', memory.streams, 'B'),
        computedInput('bodies', memory.bodies, 'B'),
        figureInput(figures, 'baseBytesPerWorker'),
        figureInput(figures, 'bytesPerStream'),
        figureInput(figures, 'bodyBufferBytes'),
        catalogueInput('memory for pods', node.memoryBytes, 'B', node.type, node.memorySource),
      ],
    },
  ]
}

/** Ports of one address: a kept connection holds one while it is open, a closed one for TIME_WAIT as well. */
function portsNeed(demand: Demand, figures: PlanFigures, setting: UpstreamSetting, upstream: number): Need {
  const ports = figures.ephemeralPorts.value * setting.providerAddresses
  const waiting = setting.upstreamKeepAlive
    ? 0
    : demand.requestsPerSec * (1 - demand.cacheHitShare) * figures.timeWaitS.value
  const held = setting.upstreamKeepAlive ? 'upstream connections' : '(upstream connections + requests/s x TIME_WAIT)'
  return {
    name: 'ports',
    per: 'worker',
    need: (upstream + waiting) / ports,
    formula: `${held} / (ports per address x provider addresses), one address a worker`,
    inputs: [
      computedInput('upstream connections', upstream, ''),
      figureInput(figures, 'ephemeralPorts'),
      {
        name: 'provider addresses',
        value: setting.providerAddresses,
        unit: '',
        from: 'given',
        source: '--provider-addresses, default 1',
      },
      ...(setting.upstreamKeepAlive ? [] : [figureInput(figures, 'timeWaitS')]),
    ],
  }
}
