/** The simulated fleet as text, with the P99 wait in the first line. */
import type { FleetOptions, FleetResult } from '../plan/simulate/fleet.ts'
import type { Traffic } from '../plan/simulate/traffic.ts'
import { counted, formatCount, formatDuration, formatMs, formatNumber, formatShare } from '../units.ts'
import { explained, PLAN_WIDTH, trimmed } from './plan-words.ts'
import { indent, wrap } from './table.ts'

function ms(value: number): string {
  return value < 0.0005 ? '0 ms' : `${formatMs(value)} ms`
}

export function renderSimulation(traffic: Traffic, options: FleetOptions, result: FleetResult): string {
  const { wait, workers } = result
  const sample = result.simulatedWorkers < options.workers ? ', which stand for all (each has its own queue)' : ''
  const overloaded = result.overloadedS > 0 ? `; overloaded for ${counted(result.overloadedS, 'second')}` : ''
  const table = [
    ['requests', formatCount(result.requests), `in ${formatDuration(result.seconds * 1_000)}: ${traffic.name}`],
    ['wait', `P50 ${ms(wait.p50Ms)}`, `P99 ${ms(wait.p99Ms)}, P99.9 ${ms(wait.p999Ms)}, longest ${ms(wait.maxMs)}`],
    ['utilisation', formatShare(result.meanUtilisation), `mean; highest second ${formatShare(result.peakUtilisation)}`],
    ['in flight', formatCount(result.peakInFlight), 'at most'],
    [
      'workers',
      trimmed(workers.min) === trimmed(workers.max)
        ? trimmed(workers.max)
        : `${trimmed(workers.min)}-${trimmed(workers.max)}`,
      `serving; ${trimmed(workers.hours, 1)} worker-hours`,
    ],
    ...(options.autoscaler
      ? [
          [
            'autoscaler',
            formatShare(options.autoscaler.target),
            `target, ${formatNumber(options.autoscaler.min)} to ${formatNumber(options.autoscaler.max)} ` +
              `workers; new ones serve after ${formatDuration(options.autoscaler.startLagS * 1_000)}, removed ` +
              `ones drain for ${formatDuration(options.autoscaler.drainS * 1_000)}`,
          ],
        ]
      : []),
    ...(options.zoneLoss
      ? [
          [
            'zone loss',
            formatCount(result.brokenStreams),
            `streams broke off ${formatDuration(options.zoneLoss.atS * 1_000)} in, and came again within 5 s`,
          ],
        ]
      : []),
  ]
  return [
    `${result.meanUtilisation >= 1 ? 'NOT CARRIED: ' : ''}P99 wait ${ms(wait.p99Ms)} with ` +
      `${counted(options.workers, 'worker')}, utilisation up to ` +
      `${formatShare(result.peakUtilisation)}${overloaded}`,
    '',
    ...indent(explained(table), 2),
    '',
    ...wrap(
      `- ${formatCount(result.simulatedRequests)} requests simulated one by one on ` +
        `${counted(result.simulatedWorkers, 'worker')}${sample}; ` +
        `streams flow at ${trimmed(options.tokensPerSecPerStream)} tokens/s; seed ${options.seed}.`,
      PLAN_WIDTH,
      2,
    ),
  ].join('\n')
}
