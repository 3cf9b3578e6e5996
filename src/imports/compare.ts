/**
 * A comparison with the result of another tool: the figures of both side by side, and what is lacking. It judges
 * nothing: such a result has no blocks, of which every verdict is made.
 */
import { COMPARE_SCHEMA, type ComparedRow, type ComparedRun, type Comparison } from '../report/compare-schema.ts'
import type { Run } from '../report/schema.ts'
import { METRIC_NAMES } from '../slo/metrics.ts'
import type { Durations, ForeignFigures } from './figures.ts'
import type { ForeignResult } from './foreign.ts'

export type Side = Run | ForeignResult

const QUANTILES = ['p50', 'p90', 'p95', 'p99'] as const

export function isForeign(side: Side): side is ForeignResult {
  return 'tool' in side
}

export function compareImported(
  baseline: Side,
  gateway: Side,
  files: Record<'baseline' | 'gateway', string>,
): Comparison {
  const tools = [...new Set([baseline, gateway].flatMap((side) => (isForeign(side) ? [side.tool] : [])))]
  const sides = [baseline, gateway].map(figuresOf)
  const [a, b] = sides
  const notes = [baseline, gateway].flatMap((side, index) =>
    notesOn(side, index === 0 ? files.baseline : files.gateway),
  )
  return {
    schema: COMPARE_SCHEMA,
    mode: 'regression',
    modeWhy: `figures only: results of ${tools.join(' and ')} are not judged`,
    pairing: 'unpaired',
    baseline: sideOf(baseline, files.baseline),
    gateway: sideOf(gateway, files.gateway),
    rows: a && b ? rowsOf(a, b) : [],
    overhead: [],
    differences: [],
    notes,
    doubts: notes,
    judgedBy: null,
    noise: null,
    gate: null,
  }
}

function figuresOf(side: Side): ForeignFigures {
  if (isForeign(side)) return side
  const { totals, throughput } = side
  const durations = METRIC_NAMES.flatMap((metric) => {
    const found = side[`${metric}Ms`]
    return found ? [[metric, found] as const] : []
  })
  return {
    requests: totals.sent,
    failed: totals.failed,
    perSecond: throughput.requestsPerSec,
    durations: Object.fromEntries(durations) as Durations,
  }
}

function sideOf(side: Side, file: string): ComparedRun {
  if (!isForeign(side)) {
    const { url, startedAt, totals, client } = side
    return { file, url, startedAt, requests: totals.sent, failed: totals.failed, client: client.verdict }
  }
  const { tool, startedAt = '', requests, failed } = side
  return { file, url: `measured by ${tool}`, startedAt, requests, failed, client: null }
}

function rowsOf(a: ForeignFigures, b: ForeignFigures): ComparedRow[] {
  const durations = METRIC_NAMES.flatMap((metric) =>
    QUANTILES.map((quantile) => {
      const [from, to] = [a, b].map(({ durations: of }) => of[metric]?.[quantile] ?? null)
      return rowOf(`${metric}.${quantile}`, 'ms', from ?? null, to ?? null)
    }),
  )
  const failing = ({ failed, requests }: ForeignFigures): number | null => (requests === 0 ? null : failed / requests)
  return [
    // What only one of the two tells is not compared.
    ...durations.filter(({ baseline, gateway }) => baseline !== null && gateway !== null),
    rowOf('throughput.requests', 'per second', a.perSecond, b.perSecond),
    rowOf('errors.rate', 'share', failing(a), failing(b)),
  ]
}

function rowOf(
  metric: string,
  unit: ComparedRow['unit'],
  baseline: number | null,
  gateway: number | null,
): ComparedRow {
  const delta = baseline === null || gateway === null ? null : gateway - baseline
  const deltaShare = delta === null || !baseline ? null : delta / baseline
  return { metric, unit, baseline, gateway, delta, deltaShare }
}

function notesOn(side: Side, file: string): string[] {
  if (!isForeign(side)) return []
  return [`${file} (${side.tool}): it has no blocks, so no interval and no verdict; ${side.lacks.join('; ')}.`]
}
