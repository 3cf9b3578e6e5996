/** The ranking of machines as text: the cheapest in the first line. */
import type { Instance, RankedInstance } from '../plan/instances.ts'
import type { PlanChoices } from '../plan/plan.ts'
import { formatNumber } from '../units.ts'
import { compact, counted, dollars, PLAN_WIDTH, rows, span, trimmed } from './plan-words.ts'
import { indent, wrap } from './text.ts'

export function renderInstances(
  ranked: readonly RankedInstance[],
  { redundancy, parts }: PlanChoices,
  measuredOn: Instance | undefined,
  most: number,
): string {
  const factor = `${span(redundancy)}x`
  const [best] = ranked
  if (!best) return 'no machine holds a worker'
  const shown = ranked.slice(0, most)
  const cost = best.usdPerMonth
    ? `, ${dollars(best.usdPerMonth.min)}-${formatNumber(best.usdPerMonth.max)} a month`
    : ''
  const scaled = ranked.some(({ speed }) => speed !== undefined)
  return [
    `${span(best.nodes)} ${best.instance.type} with redundancy ${factor}${cost}: the cheapest of ${counted(ranked.length, 'machine')}`,
    '',
    ...indent(
      rows(
        [
          [
            '',
            'vCPU',
            'workers',
            ...(scaled ? ['speed'] : []),
            'Gbit/s',
            'peak',
            `nodes ${factor}`,
            '$/month',
            'binds',
            'prices',
          ],
          ...shown.map(({ instance, workersPerNode, speed, nodes, usdPerMonth, binding }) => [
            instance.type,
            `${instance.vcpu} ${instance.vcpuIs}s`,
            formatNumber(workersPerNode),
            ...(scaled ? [speed === undefined ? 'n/a' : trimmed(speed)] : []),
            `${instance.bandwidthIs === 'ceiling' ? '<=' : ''}${trimmed(instance.bandwidthGbps)}`,
            compact(nodes.peak),
            compactSpan(nodes),
            usdPerMonth ? compactSpan(usdPerMonth) : 'no price',
            binding,
            instance.priceDate,
          ]),
        ],
        [
          'left',
          'right',
          'right',
          ...(scaled ? (['right'] as const) : []),
          'right',
          'right',
          'right',
          'right',
          'left',
          'left',
        ],
      ),
      2,
    ),
    '',
    ...notes(ranked, shown.length, parts.zones, measuredOn, scaled).flatMap((note) => wrap(`- ${note}`, PLAN_WIDTH, 2)),
  ].join('\n')
}

function notes(
  ranked: readonly RankedInstance[],
  shown: number,
  zones: number,
  measuredOn: Instance | undefined,
  scaled: boolean,
): string[] {
  return [
    ...(ranked.length > shown ? [`${ranked.length - shown} more with --all.`] : []),
    `At least one node in each of ${zones} zones; list prices of that day (${regions(ranked).join(', ')}), 730 hours a month, without traffic, disks and discounts.`,
    ...(ranked.some(({ instance }) => instance.bandwidthIs === 'ceiling')
      ? ['<= is a ceiling: that cloud publishes no sustained baseline, so the network may bind earlier.']
      : []),
    scaled
      ? `speed: CoreMark per vCPU against ${measuredOn?.type} (${measuredOn?.vcpuIs}s), where both are of one source; n/a is taken as 1. A thread is half a core.`
      : 'A worker is taken to be as fast on every vCPU, be it a thread or a core: give --measured-on to scale it by core speed.',
  ]
}

function regions(ranked: readonly RankedInstance[]): string[] {
  return [...new Set(ranked.map(({ instance }) => instance.region))]
}

function compactSpan({ min, max }: { min: number; max: number }): string {
  return min === max ? compact(min) : `${compact(min)}-${compact(max)}`
}
