/** The blocks of a run, which every verdict rests on, and the pairs that those of two arms form. */

import { readHistogram } from '../report/histogram-text.ts'
import type { Block } from '../report/schema.ts'
import type { Arm } from './arms.ts'
import { cell, formatOf } from './formats.ts'
import { COLORS, type Panel, type Plot, type Series, scaleFor } from './plot.ts'

interface BlockReading {
  block: Block
  p50: number | null
  p99: number | null
}

export function blockPlots(arms: readonly Arm[]): Plot[] {
  const readings = arms.map((arm) => ({
    arm,
    blocks: new Map(arm.run.blocks.map((block) => [block.index, read(block)])),
  }))
  const [first, other] = readings
  const second = readings.length === 2 ? other : undefined
  if (!first || first.blocks.size < 2) return []
  const indexes = [...new Set(readings.flatMap(({ blocks }) => [...blocks.keys()]))].sort((a, b) => a - b)
  const format = formatOf('ms')
  const pairs = second ? indexes.map((index) => difference(first.blocks.get(index), second.blocks.get(index))) : []
  const known = pairs.filter((pair) => pair !== null)
  const series = readings.map(
    ({ arm, blocks }): Series => ({
      kind: 'line',
      name: arm.name,
      color: arm.color,
      dashed: arm.dashed,
      dots: indexes.length < 80,
      points: indexes.map((index) => [index, blocks.get(index)?.p50 ?? null] as const),
    }),
  )
  const medians = series.flatMap((one) => (one.kind === 'line' ? one.points.map(([, y]) => y) : []))
  const differences: Panel[] =
    known.length === 0
      ? []
      : [
          {
            y: { name: `${first.arm.name} less ${second?.arm.name}, P50 (ms)`, unit: 'ms', scale: 'linear' },
            series: [
              {
                kind: 'dots',
                name: 'difference of a pair',
                color: COLORS.limit,
                points: indexes.map((index, at) => [index, pairs[at] ?? null] as const),
              },
            ],
            marks: [{ axis: 'y', at: 0, label: '' }],
          },
        ]
  const above = known.filter((value) => value > 0).length
  return [
    {
      id: 'blocks',
      title: second ? 'Blocks and their pairs' : 'Blocks',
      says:
        `P50 latency of each of ${indexes.length} blocks` +
        (known.length === 0
          ? '.'
          : `; in ${above} of ${known.length} pairs ${first.arm.name} is the slower one, ` +
            `by ${format(known.reduce((sum, value) => sum + value, 0) / known.length)} on average.`),
      x: { name: 'block', unit: 'plain', scale: 'linear', min: indexes[0] ?? 0, max: indexes.at(-1) ?? 0 },
      panels: [
        {
          y: {
            name: 'P50 latency (ms)',
            unit: 'ms',
            scale: scaleFor(medians.filter((value) => value !== null)),
          },
          series,
        },
        ...differences,
      ],
      table: {
        head: [
          'block',
          ...readings.flatMap(({ arm }) =>
            ['sent', 'answered', 'P50', 'P99', 'pressure'].map((what) => `${arm.name} ${what}`),
          ),
          ...(second ? ['difference of P50'] : []),
        ],
        rows: indexes.map((index, at) => [
          cell(index, 'count'),
          ...readings.flatMap(({ blocks }) => cellsOf(blocks.get(index))),
          ...(second ? [cell(pairs[at], 'ms')] : []),
        ]),
      },
    },
  ]
}

function read(block: Block): BlockReading {
  const histogram = readHistogram(block.latency)
  const at = (q: number): number | null => (histogram.count === 0 ? null : histogram.quantileUs(q) / 1_000)
  return { block, p50: at(0.5), p99: at(0.99) }
}

function difference(a: BlockReading | undefined, b: BlockReading | undefined): number | null {
  const [slow, fast] = [a?.p50 ?? null, b?.p50 ?? null]
  return slow === null || fast === null ? null : slow - fast
}

function cellsOf(reading: BlockReading | undefined) {
  const { block, p50, p99 } = reading ?? {}
  return [
    cell(block?.sent, 'count'),
    cell(block && (block.outcomes.OK ?? 0), 'count'),
    cell(p50, 'ms'),
    cell(p99, 'ms'),
    cell(block?.machine?.pressure, 'share'),
  ]
}
