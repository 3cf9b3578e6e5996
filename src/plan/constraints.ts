/**
 * Everything that can bind before, or instead of, the CPU of the vendor's formula: network, connections, descriptors, ports and
 * memory. Each needs workers or nodes; both are counted in nodes to be compared, since that is what is bought. What a factor of
 * redundancy multiplies is the demand, so every need here is proportional to it.
 * References: Little's law (requests in flight = rate x time); nginx worker_connections; Linux ip_local_port_range and TIME_WAIT.
 */

import { rawWorkers } from './cpu.ts'
import type { Demand } from './demand.ts'
import { type Figures, type Input, inputOf } from './figures.ts'

const CONSTRAINTS = ['cpu', 'network', 'connections', 'descriptors', 'ports', 'memory'] as const
type ConstraintName = (typeof CONSTRAINTS)[number]

export interface Need {
  name: ConstraintName
  per: 'worker' | 'node'
  /** Workers or nodes for the demand as it is, before rounding. */
  need: number
  formula: string
  inputs: Input[]
}

/** The machine and the wiring that the needs are counted for. */
export interface Setting {
  upstream: 'h1' | 'h2'
  /** Whether connections to the provider are kept for the next request. */
  upstreamKeepAlive: boolean
  /** Addresses that the provider's name resolves to. */
  providerAddresses: number
}

export interface NodeRoom {
  type: string
  workersPerNode: number
  bandwidthGbps: number
  memoryBytes: number
  source: string
  memorySource: string
}

/**
 * Requests in flight at the peak, by Little's law: time to the first token that is generated, then all tokens at the stream's pace.
 * Hidden ones do not cross the gateway, but the connection waits for them.
 */
export function requestsInFlight(demand: Demand, figures: Figures): number {
  const generated = demand.outputTokensPerSec + demand.hiddenTokensPerSec
  return demand.requestsPerSec * figures.ttftS.value + generated / figures.tokensPerSecPerStream.value
}

/** Connections that requests in flight hold, on both sides. */
function connectionsOf(
  inFlight: number,
  demand: Demand,
  figures: Figures,
  setting: Setting,
): { client: number; upstream: number } {
  const upstream = inFlight * (1 - demand.cacheHitShare)
  return {
    client: inFlight,
    upstream: setting.upstream === 'h2' ? upstream / figures.h2StreamsPerConnection.value : upstream,
  }
}

/** Gbit/s in the fuller direction: prompts in from clients and tokens in from the provider; prompts on, tokens on. */
export function bandwidthGbps(demand: Demand, figures: Figures): number {
  const input = demand.inputTokensPerSec * figures.inputBytesPerToken.value
  const output = demand.outputTokensPerSec * figures.outputBytesPerToken.value
  const misses = 1 - demand.cacheHitShare
  return (Math.max(input + output * misses, input * misses + output) * 8) / 1e9
}

/** The memory of the fleet: workers, streams, and request bodies held while a request is in flight. */
export function memoryBytes(
  workers: number,
  demand: Demand,
  figures: Figures,
): { workers: number; streams: number; bodies: number } {
  const inFlight = requestsInFlight(demand, figures)
  const body = demand.shape.inputTokens * figures.inputBytesPerToken.value
  return {
    workers: workers * figures.baseBytesPerWorker.value,
    streams: inFlight * figures.bytesPerStream.value,
    bodies: inFlight * Math.min(body, figures.bodyBufferBytes.value),
  }
}

export function cpuNeed(demand: Demand, figures: Figures): Need {
  return {
    name: 'cpu',
    per: 'worker',
    need: rawWorkers(demand, figures.ratio.value, figures.outputPerWorker.value),
    formula: '(input / R + output) / O_w',
    inputs: [
      demandInput('input', demand.inputTokensPerSec, 'tokens/s', demand),
      demandInput('output', demand.outputTokensPerSec, 'tokens/s', demand),
      inputOf(figures, 'ratio'),
      inputOf(figures, 'outputPerWorker'),
    ],
  }
}

/** All needs but the CPU's; `cpuWorkers` are the workers whose own memory counts. */
export function otherNeeds(
  demand: Demand,
  figures: Figures,
  setting: Setting,
  node: NodeRoom,
  cpuWorkers: number,
): Need[] {
  const inFlight = requestsInFlight(demand, figures)
  const { client, upstream } = connectionsOf(inFlight, demand, figures, setting)
  const spilled =
    demand.shape.inputTokens * figures.inputBytesPerToken.value > figures.bodyBufferBytes.value ? inFlight : 0
  const hidden = demand.hiddenTokensPerSec > 0
  const flightInputs = [
    demandInput('requests/s', demand.requestsPerSec, '', demand),
    inputOf(figures, 'ttftS'),
    demandInput('output', demand.outputTokensPerSec, 'tokens/s', demand),
    ...(hidden ? [demandInput('hidden', demand.hiddenTokensPerSec, 'tokens/s', demand)] : []),
    inputOf(figures, 'tokensPerSecPerStream'),
    computed('in flight', inFlight, ''),
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
        inputOf(figures, 'inputBytesPerToken'),
        demandInput('output', demand.outputTokensPerSec, 'tokens/s', demand),
        inputOf(figures, 'outputBytesPerToken'),
        computed('each way', bandwidthGbps(demand, figures), 'Gbit/s'),
        catalogue('bandwidth', node.bandwidthGbps, 'Gbit/s', node.type, node.source),
        inputOf(figures, 'networkUtilisation'),
      ],
    },
    {
      name: 'connections',
      per: 'worker',
      need: (client + upstream) / figures.connectionsPerWorker.value,
      formula: `(requests/s x TTFT + ${hidden ? '(output + hidden)' : 'output'} / tokens/s per stream) x (client + upstream ${setting.upstream}) / connections per worker`,
      inputs: [
        ...flightInputs,
        computed('connections', client + upstream, ''),
        inputOf(figures, 'connectionsPerWorker'),
        ...(setting.upstream === 'h2' ? [inputOf(figures, 'h2StreamsPerConnection')] : []),
      ],
    },
    {
      name: 'descriptors',
      per: 'worker',
      need: (client + upstream + spilled) / figures.descriptorsPerWorker.value,
      formula: '(connections + bodies spilled to disk) / descriptors per worker',
      inputs: [
        computed('connections', client + upstream, ''),
        computed('spilled bodies', spilled, ''),
        inputOf(figures, 'descriptorsPerWorker'),
      ],
    },
    portsNeed(demand, figures, setting, upstream),
    {
      name: 'memory',
      per: 'node',
      need: (memory.workers + memory.streams + memory.bodies) / node.memoryBytes,
      formula:
        '(workers x memory of a worker + in flight x (memory per stream + min(body, body buffer))) / memory for pods',
      inputs: [
        computed('workers', memory.workers, 'B'),
        computed('streams', memory.streams, 'B'),
        computed('bodies', memory.bodies, 'B'),
        inputOf(figures, 'baseBytesPerWorker'),
        inputOf(figures, 'bytesPerStream'),
        inputOf(figures, 'bodyBufferBytes'),
        catalogue('memory for pods', node.memoryBytes, 'B', node.type, node.memorySource),
      ],
    },
  ]
}

/** Ports of one address: a kept connection holds one while it is open, a closed one for TIME_WAIT as well. */
function portsNeed(demand: Demand, figures: Figures, setting: Setting, upstream: number): Need {
  const ports = figures.ephemeralPorts.value * setting.providerAddresses
  const waiting = setting.upstreamKeepAlive
    ? 0
    : demand.requestsPerSec * (1 - demand.cacheHitShare) * figures.timeWaitS.value
  return {
    name: 'ports',
    per: 'worker',
    need: (upstream + waiting) / ports,
    formula: setting.upstreamKeepAlive
      ? 'upstream connections / (ports per address x provider addresses), one address a worker'
      : '(upstream connections + requests/s x TIME_WAIT) / (ports per address x provider addresses), one address a worker',
    inputs: [
      computed('upstream connections', upstream, ''),
      inputOf(figures, 'ephemeralPorts'),
      {
        name: 'provider addresses',
        value: setting.providerAddresses,
        unit: '',
        from: 'given',
        source: '--provider-addresses, default 1',
      },
      ...(setting.upstreamKeepAlive ? [] : [inputOf(figures, 'timeWaitS')]),
    ],
  }
}

function demandInput(name: string, value: number, unit: string, demand: Demand): Input {
  return { name, value, unit, from: 'demand', source: demand.form }
}

function computed(name: string, value: number, unit: string): Input {
  return { name, value, unit, from: 'computed', source: 'the figures here' }
}

function catalogue(name: string, value: number, unit: string, machine: string, source: string): Input {
  return { name, value, unit, from: 'catalogue', source: `${machine}, ${source}` }
}
