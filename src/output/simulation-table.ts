/** The simulated fleet as text, with the P99 wait in the first line. */
import type { FleetOptions } from '../plan/simulate/fleet.ts'
import type { Simulation } from '../plan/simulate/simulate.ts'
import type { Traffic } from '../plan/simulate/traffic.ts'
import { counted, formatCount, formatDuration, formatMs, formatNumber, formatShare } from '../units.ts'
import { EXPLAINED, fitted, list, rows, trimmed } from './plan-words.ts'
import { indent, type Page } from './table.ts'

type Estimate = Simulation['wait']['p99Ms']

function ms(value: number): string {
  return value < 0.0005 ? '0 ms' : `${formatMs(value)} ms`
}

/** '4.2 ms (4.1-4.4)' */
function withInterval({ value, low, high }: Estimate): string {
  if (low === undefined || high === undefined) return ms(value)
  return `${ms(value)} (${ms(low).replace(' ms', '')}-${ms(high).replace(' ms', '')})`
}

export function renderSimulation(
  traffic: Traffic,
  options: FleetOptions,
  node: string,
  result: Simulation,
  page: Page,
): string {
  const { width } = page
  const { wait, seeds } = result
  const sample = result.simulatedWorkers < options.workers ? ', which stand for all (each has its own queue)' : ''
  const over = overloads(result)
  return [
    ...fitted(
      `${result.meanUtilisation >= 1 || over.length > 0 ? 'NOT CARRIED: ' : ''}P99 wait ${withInterval(wait.p99Ms)} ` +
        `with ${counted(options.workers, 'worker')} on ${formatNumber(options.limits?.nodes ?? 0)} ${node}, ` +
        `CPU up to ${formatShare(result.peakUtilisation)}${over.length > 0 ? `; ${list(over)}` : ''}`,
      width,
    ),
    '',
    ...indent(rows(table(traffic, options, result), page, EXPLAINED), 2),
    '',
    ...fitted(
      `- ${formatCount(result.simulatedRequests)} requests simulated one by one on ` +
        `${counted(result.simulatedWorkers, 'worker')}${sample}; ` +
        `streams flow at ${trimmed(options.tokensPerSecPerStream)} tokens/s; ` +
        (seeds.length > 1
          ? `seeds ${seeds[0]} to ${seeds.at(-1)}, intervals of 95 % over them.`
          : `seed ${seeds[0]}: give --runs for intervals.`),
      width,
    ),
  ].join('\n')
}

/** What the fleet did not carry at some time. */
function overloads({ overloadedS, limits }: Simulation): string[] {
  return [
    ...(overloadedS > 0 ? [`the CPU overloaded for ${counted(overloadedS, 'second')}`] : []),
    ...(limits && limits.network.overS > 0
      ? [`the network for ${counted(limits.network.overS, 'second')}, bytes up to ${ms(limits.network.delayMs)} late`]
      : []),
    ...(limits && limits.connections.refusedShare > 0
      ? [`${formatShare(limits.connections.refusedShare)} of requests found no connection`]
      : []),
    ...(limits && limits.memory.peak > 1 ? [`${formatShare(limits.memory.peak)} of a node's memory`] : []),
  ]
}

function table(traffic: Traffic, options: FleetOptions, result: Simulation): string[][] {
  const { wait, workers, limits } = result
  const { autoscaler, zoneLoss } = options
  return [
    ['requests', formatCount(result.requests), `in ${formatDuration(result.seconds * 1_000)}: ${traffic.name}`],
    [
      'wait',
      `P50 ${ms(wait.p50Ms.value)}`,
      `P99 ${withInterval(wait.p99Ms)}, P99.9 ${withInterval(wait.p999Ms)}, longest ${ms(wait.maxMs)}`,
    ],
    ['CPU', formatShare(result.meanUtilisation), `mean; highest second ${formatShare(result.peakUtilisation)}`],
    ...(limits
      ? [
          ['network', formatShare(limits.network.peak), 'of the bandwidth of a node, in its highest second'],
          ['connections', formatShare(limits.connections.peak), 'of those that a worker may hold, at most'],
          ['memory', formatShare(limits.memory.peak), 'of what a node has for pods, at most'],
        ]
      : []),
    ['in flight', formatCount(result.peakInFlight), 'at most'],
    [
      'workers',
      trimmed(workers.min) === trimmed(workers.max)
        ? trimmed(workers.max)
        : `${trimmed(workers.min)}-${trimmed(workers.max)}`,
      `serving; ${trimmed(workers.hours, 1)} worker-hours`,
    ],
    ...(autoscaler
      ? [
          [
            'autoscaler',
            formatShare(autoscaler.target),
            `target, ${formatNumber(autoscaler.min)} to ${formatNumber(autoscaler.max)} ` +
              `workers; new ones serve after ${formatDuration(autoscaler.startLagS * 1_000)}, removed ` +
              `ones drain for ${formatDuration(autoscaler.drainS * 1_000)}`,
          ],
        ]
      : []),
    ...(zoneLoss
      ? [
          [
            'zone loss',
            formatCount(result.brokenStreams),
            `streams broke off ${formatDuration(zoneLoss.atS * 1_000)} in, and came again within 5 s`,
          ],
        ]
      : []),
  ]
}
