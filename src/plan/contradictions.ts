/** Figures of the plan that cannot all be true, each in a sentence that says what decides between them. */
import { formatCount, formatNumber } from '../units.ts'
import { wholeUp, workersByFigures } from './cpu.ts'
import type { Demand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import type { Fleet } from './redundancy.ts'
import type { NodeType } from './sizing.ts'
import { eventsPerSec, packetsPerSec } from './wire-needs.ts'

export interface OneInstance {
  name: string
  vcpu: number
  memoryMb: number
  connections: number
  orMore: boolean
  source: string
  /** What the same demand computes to. */
  computed: { vcpu: number; memoryMb: number; connections: number }
}

export function contradictions(
  demand: Demand,
  figures: PlanFigures,
  fleet: Pick<Fleet, 'nodes'>,
  node: NodeType,
  instance: OneInstance | undefined,
): string[] {
  return [
    ...eventContradiction(demand, figures),
    ...packetNote(demand, figures, fleet, node),
    ...(instance ? instanceContradiction(instance) : []),
  ]
}

/** A worker of a million tokens/s, and an event a token. */
function eventContradiction(demand: Demand, figures: PlanFigures): string[] {
  const { outputPerWorker, eventsPerToken, eventsPerWorker, outputBytesPerToken } = figures
  const events = outputPerWorker.value * eventsPerToken.value
  if (outputPerWorker.from === 'calibrated' || demand.request.streamedShare === 0) return []
  if (events <= eventsPerWorker.value) return []
  const byEvents = wholeUp(eventsPerSec(demand, figures) / eventsPerWorker.value)
  return [
    `a worker of ${formatCount(outputPerWorker.value)} output tokens/s at ` +
      `${Number(eventsPerToken.value.toPrecision(2))} event a token passes ${formatCount(events)} events/s a core, ` +
      `and ${formatCount(eventsPerWorker.value)} were measured: either tokens share events, and then fewer than ` +
      `${formatNumber(outputBytesPerToken.value)} B each ` +
      `(--events-per-token, --bytes-per-output-token), or a worker passes fewer, and ${formatNumber(byEvents)} are ` +
      `needed where the formula says ${formatNumber(wholeUp(workersByFigures(demand, figures)))}. The fleet counts ` +
      'with the latter; your own runs decide (--from-bench)',
  ]
}

/** Highest measured of a whole machine (m5.24xlarge), in and out together; clouds publish none. */
const MEASURED_PACKETS = 2.2e6

function packetNote(demand: Demand, figures: PlanFigures, { nodes }: Pick<Fleet, 'nodes'>, node: NodeType): string[] {
  const each = (packetsPerSec(demand, figures) * demand.burst.factor) / nodes.steady
  if (node.packetsPerSec !== undefined || each < MEASURED_PACKETS / 4) return []
  return [
    `an event is about three packets, so each node passes ${formatCount(each)} packets/s at the peak: ${node.cloud} ` +
      `publishes no limit of ${node.type}, and ${formatCount(MEASURED_PACKETS)} in and out were measured on a ` +
      'machine of 96 vCPU (stressgrid.com, 2019): watch pps_allowance_exceeded, or give its limit with --machines, ' +
      'which makes it a constraint',
  ]
}

function instanceContradiction({ name, vcpu, memoryMb, connections, orMore, computed }: OneInstance): string[] {
  const over = [
    ...(computed.connections > connections
      ? [`${formatNumber(computed.connections)} connections, where it has ${formatNumber(connections)}`]
      : []),
    ...(computed.memoryMb > memoryMb
      ? [`${formatNumber(computed.memoryMb)} MB, where it has ${formatNumber(memoryMb)}`]
      : []),
    ...(computed.vcpu > vcpu ? [`${formatNumber(computed.vcpu, 1)} vCPU, where it has ${formatNumber(vcpu, 1)}`] : []),
  ]
  if (over.length === 0 || orMore) return []
  return [
    `the guide's ${name} instance does not hold this rate of such requests: ${over.join('; ')}. Its table goes by ` +
      'requests/s alone; the fleet counts with what they hold open',
  ]
}
