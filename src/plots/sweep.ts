/** The curves of a sweep: throughput with its knee, latency, the added P99, and the highest load within each limit. */
import type { SweepCurve, SweepReport } from '../report/sweep-schema.ts'
import { intervalText } from './distribution.ts'
import { cell, formatOf } from './formats.ts'
import { COLORS, type Color, type Mark, type Plot, type Series, scaleFor } from './plot.ts'

export function sweepPlots(report: SweepReport): Plot[] {
  return [curvePlot(report), ...frontierPlots(report)]
}

function nameOf({ gatewayWorkers }: SweepCurve, all: readonly SweepCurve[]): string {
  return all.length > 1 && gatewayWorkers !== null ? `, ${gatewayWorkers} gateway processes` : ''
}

function colorOf(index: number): Color {
  return (index % 8) as Color
}

function levelName({ load }: SweepReport): string {
  return load.mode === 'open' ? 'requests a second asked for' : 'requests in flight'
}

function curvePlot(report: SweepReport): Plot {
  const { curves } = report
  const lines = (
    what: string,
    read: (level: SweepCurve['levels'][number]) => number | null,
    dashed = false,
  ): Series[] =>
    curves.map((curve, index) => ({
      kind: 'line',
      name: `${what}${nameOf(curve, curves)}`,
      color: colorOf(curves.length > 1 ? index : dashed ? COLORS.baseline : COLORS.gateway),
      dashed,
      dots: true,
      points: sorted(curve).map((level) => [level.level, read(level)] as const),
    }))
  const knees = curves.flatMap((curve): Mark[] =>
    curve.knee ? [{ axis: 'x', at: curve.knee.level, label: `knee${nameOf(curve, curves)}` }] : [],
  )
  const levels = curves.flatMap((curve) => curve.levels)
  const latencies = levels.flatMap(({ latencyMs }) => (latencyMs ? [latencyMs.p50, latencyMs.p99] : []))
  const added = lines('added P99', ({ overheadMs }) => overheadMs?.p99 ?? null)
  const whiskers = curves.flatMap((curve, index): Series[] => {
    const items = curve.levels.flatMap(({ level, overheadMs }) =>
      overheadMs && overheadMs.ci95[1] !== null
        ? [{ at: level, low: overheadMs.ci95[0], high: overheadMs.ci95[1] }]
        : [],
    )
    if (items.length === 0) return []
    return [{ kind: 'whiskers', name: `95 %${nameOf(curve, curves)}`, color: colorOf(index), along: 'y', items }]
  })
  const limits = (curves[0]?.frontier ?? []).map(
    ({ limitMs }): Mark => ({ axis: 'y', at: limitMs, label: `limit ${formatOf('ms')(limitMs)}` }),
  )
  const highest = Math.max(0, ...levels.map(({ overheadMs }) => overheadMs?.p99 ?? 0))
  const x = { name: levelName(report), unit: 'plain', scale: scaleFor(levels.map(({ level }) => level)) } as const
  return {
    id: 'sweep',
    title: 'The curve of the load',
    says: kneeSentence(report),
    x,
    panels: [
      {
        y: { name: 'requests a second', unit: 'count', scale: 'linear', min: 0 },
        series: lines('achieved', ({ achievedRps }) => achievedRps),
        marks: knees,
      },
      {
        y: { name: 'latency (ms)', unit: 'ms', scale: scaleFor(latencies) },
        series: [
          ...lines('latency P50', ({ latencyMs }) => latencyMs?.p50 ?? null),
          ...lines('latency P99', ({ latencyMs }) => latencyMs?.p99 ?? null, true),
        ],
      },
      {
        y: { name: 'added P99 (ms)', unit: 'ms', scale: 'linear', min: 0 },
        series: [...added, ...whiskers],
        // A limit far above every level would flatten the curve.
        marks: limits.filter(({ at }) => at <= 1.5 * highest),
      },
    ],
    table: {
      head: [
        ...(curves.length > 1 ? ['gateway processes'] : []),
        levelName(report),
        'requests',
        'failed',
        'achieved',
        'latency P50',
        'latency P99',
        'added P50',
        'added P99',
        '95 %',
        'client',
      ],
      rows: curves.flatMap((curve) =>
        sorted(curve).map(({ level, requests, failed, achievedRps, latencyMs, overheadMs, client }) => [
          ...(curves.length > 1 ? [cell(curve.gatewayWorkers, 'count')] : []),
          cell(level, 'plain'),
          cell(requests, 'count'),
          cell(failed, 'count'),
          cell(achievedRps, 'per second'),
          cell(latencyMs?.p50, 'ms'),
          cell(latencyMs?.p99, 'ms'),
          cell(overheadMs?.p50, 'ms'),
          cell(overheadMs?.p99, 'ms'),
          intervalText(overheadMs?.ci95),
          client,
        ]),
      ),
    },
  }
}

/** Levels that a search added stand at the end of the report. */
function sorted({ levels }: SweepCurve): SweepCurve['levels'] {
  return levels.toSorted((a, b) => a.level - b.level)
}

export function kneeSentence(report: SweepReport): string {
  const measured = report.curves.filter(({ levels }) => levels.length > 0)
  const each = measured.map((curve) => {
    const { knee } = curve
    const found = knee
      ? `knee at ${knee.level} ${levelName(report)}, ${formatOf('per second')(knee.achievedRps)}: ${knee.why}`
      : 'no knee within the levels'
    return `${found}${nameOf(curve, report.curves)}`
  })
  const text = `${each.join('; ')}.`
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function frontierPlots(report: SweepReport): Plot[] {
  const { curves } = report
  const any = curves.some(({ frontier }) => frontier.some(({ achievedRps }) => achievedRps !== null))
  if (!any) return []
  const limits = curves[0]?.frontier.map(({ limitMs }) => formatOf('ms')(limitMs)) ?? []
  return [
    {
      id: 'frontier',
      title: 'The highest load within each limit of added P99',
      says: 'Requests a second at the highest level whose added P99, and that of every lower one, is within the limit.',
      x: { name: 'limit of added P99', unit: 'plain', scale: 'category', categories: limits },
      panels: [
        {
          y: { name: 'requests a second', unit: 'count', scale: 'linear', min: 0 },
          series: curves.map((curve, index) => ({
            kind: 'bars',
            name: `achieved${nameOf(curve, curves)}`,
            color: colorOf(index),
            values: curve.frontier.map(({ achievedRps }) => achievedRps),
          })),
        },
      ],
      table: {
        head: [...(curves.length > 1 ? ['gateway processes'] : []), 'limit', levelName(report), 'achieved', 'certain'],
        rows: curves.flatMap(({ gatewayWorkers, frontier }) =>
          frontier.map(({ limitMs, level, achievedRps, certain }) => [
            ...(curves.length > 1 ? [cell(gatewayWorkers, 'count')] : []),
            cell(limitMs, 'ms'),
            level === null ? 'none' : cell(level, 'plain'),
            cell(achievedRps, 'per second'),
            certain ? 'yes' : 'no',
          ]),
        ),
      },
    },
  ]
}
