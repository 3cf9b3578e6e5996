/** The ranking of machines as text: the cheapest in the first line. */
import type { Instance, RankedInstance } from '../plan/instances.ts'
import type { PlanChoices } from '../plan/plan.ts'
import { compact, PLAN_WIDTH, rows, span, trimmed } from './plan-words.ts'
import { wrap } from './text.ts'

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
  const cost = best.usdPerMonth ? `, $${compactSpan(best.usdPerMonth)} a month` : ''
  const scaled = ranked.some(({ speed }) => speed !== undefined)
  return [
    `${compactSpan(best.nodes)} ${best.instance.type} with redundancy ${factor}${cost}: cheapest of ${ranked.length}`,
    '',
    ...rows(
      [
        ['', 'vCPU', ...(scaled ? ['speed'] : []), 'Gbit/s', `nodes ${factor}`, '$/month', 'binds', 'prices'],
        ...shown.map(({ instance, speed, nodes, usdPerMonth, binding }) => [
          instance.type,
          `${instance.vcpu} ${instance.vcpuIs}s`,
          ...(scaled ? [speed === undefined ? 'n/a' : trimmed(speed)] : []),
          `${instance.bandwidthIs === 'ceiling' ? '<=' : ''}${trimmed(instance.bandwidthGbps)}`,
          compactSpan(nodes),
          usdPerMonth
            ? compactSpan({ min: Math.round(usdPerMonth.min), max: Math.round(usdPerMonth.max) })
            : 'no price',
          binding,
          instance.priceDate,
        ]),
      ],
      ['left', 'right', ...(scaled ? (['right'] as const) : []), 'right', 'right', 'right', 'left', 'left'],
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
      : `A worker is taken to be as fast on every vCPU, be it a thread or a core: ${measuredOn ? `no CoreMark of ${measuredOn.type} comes from the same source as theirs, so nothing is scaled` : 'give --measured-on to scale it by core speed'}.`,
  ]
}

function regions(ranked: readonly RankedInstance[]): string[] {
  return [...new Set(ranked.map(({ instance }) => instance.region))]
}

function compactSpan({ min, max }: { min: number; max: number }): string {
  return min === max ? compact(min) : `${compact(min)}-${compact(max)}`
}
