/**
 * A metric over the reports of a folder, in the order they were measured, with its change points. Only comparable
 * runs are in the series: runs whose workload, load, machine or model differ from the newest one's are excluded and
 * listed, and so are those that no gateway was in where one is in the newest.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { didYouMean } from '../parse/near.ts'
import { systemReason } from '../parse/system-reason.ts'
import { HISTORY_SCHEMA, type History, type HistoryChange, type HistoryRun } from '../report/history-schema.ts'
import { readRun } from '../report/read.ts'
import type { OverheadDefinition, Run } from '../report/schema.ts'
import { otherTokenBasis } from '../report/token-basis.ts'
import { HISTORY_FIGURES, HISTORY_METRICS, unitOf } from '../slo/metrics.ts'
import { changePoints } from '../stats/change-points.ts'
import { median } from '../stats/means.ts'
import { FIGURE_READINGS } from './figures.ts'
import { bestReading } from './judge-overhead.ts'
import { differencesBetween } from './pair.ts'

export type { History, HistoryChange }

const QUANTILES = ['p50', 'p90', 'p95', 'p99'] as const
const FAMILIES = [...HISTORY_METRICS, 'overhead'] as const
const KNOWN: readonly string[] = [
  ...FAMILIES.flatMap((family) => QUANTILES.map((quantile) => `${family}.${quantile}`)),
  ...HISTORY_FIGURES,
]

export function readHistory(folder: string, asked?: string): History {
  if (asked !== undefined) assertMetric(asked)
  const { reports, left } = readAll(folder)
  const newest = reports.at(-1)
  if (!newest) {
    throw new UserError(
      `${folder}: no report of kt bench in it${left.length > 0 ? `; ${left.length} other JSON files` : ''}`,
      "Write reports into it with 'kt bench --output FOLDER/NAME.json'.",
    )
  }
  const definition = bestReading(newest.report)?.definition ?? null
  const metric = asked ?? (definition ? 'overhead.p99' : 'latency.p99')
  const runs: HistoryRun[] = []
  for (const { file, report } of reports) {
    // A split run leaves a file of the provider itself beside those of the gateways.
    if (isDirect(report) !== isDirect(newest.report)) {
      left.push({ file, why: isDirect(report) ? 'it was measured directly' : 'it went through a gateway' })
      continue
    }
    const unlike = differencesBetween(newest.report, report, 'latency').filter(({ forbids }) => forbids)
    const value = unlike.length > 0 ? null : figureOf(report, metric, definition)
    const otherBasis = metric === 'throughput.tokens' ? otherTokenBasis(newest.report, report) : undefined
    if (otherBasis !== undefined && report !== newest.report) {
      left.push({ file, why: `its tokens are not those of the newest run: ${otherBasis}` })
    } else if (value === null) {
      const what = unlike.map((difference) => difference.what).join(', ')
      left.push({ file, why: what === '' ? `no ${metric}` : `another ${what} than the newest run` })
    } else runs.push(historyRun(file, report, value))
  }
  if (runs.length === 0) {
    throw new UserError(
      `${folder}: none of the ${reports.length} reports holds ${metric}`,
      'Name another with --metric.',
    )
  }
  return {
    schema: HISTORY_SCHEMA,
    folder,
    metric,
    unit: unitOf(metric),
    definition: metric.startsWith('overhead.') ? definition : null,
    runs,
    changes: changesOf(runs),
    left,
  }
}

function isDirect({ role }: Run): boolean {
  return role === 'direct'
}

function historyRun(file: string, { startedAt, kt, commit, labels }: Run, value: number): HistoryRun {
  return { file, startedAt, kt: kt.version, ...(commit ? { commit } : {}), ...(labels ? { labels } : {}), value }
}

function readAll(folder: string): { reports: { file: string; report: Run }[]; left: History['left'] } {
  const left: History['left'] = []
  const reports = namesIn(folder).flatMap((file) => {
    try {
      return [{ file, report: readRun(join(folder, file)) }]
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      const [line = ''] = error.message.split('\n')
      left.push({ file, why: line.replace(`${join(folder, file)}: `, '') })
      return []
    }
  })
  // The arms of one run began together: the newest is that of a gateway.
  const byTime = reports.sort(
    ({ report: a }, { report: b }) =>
      Date.parse(a.startedAt) - Date.parse(b.startedAt) || Number(isDirect(b)) - Number(isDirect(a)),
  )
  return { reports: byTime, left }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
  } catch (error) {
    throw new UserError(
      `cannot read the folder ${folder}: ${systemReason(error)}`,
      'Give the folder that holds the reports.',
    )
  }
}

function assertMetric(metric: string): void {
  if (KNOWN.includes(metric)) return
  const near = didYouMean(metric, KNOWN)
  throw new UserError(
    `--metric: there is no metric '${metric}'${near ? ` (did you mean '${near}'?)` : ''}`,
    `Metrics there are: ${FAMILIES.join(', ')}, each with .${QUANTILES.join(' .')}; ${HISTORY_FIGURES.join(', ')}`,
  )
}

function figureOf(report: Run, metric: string, definition: OverheadDefinition | null): number | null {
  if (report.totals.successful === 0 && metric !== 'errors.rate') return null
  const figure = HISTORY_FIGURES.find((known) => known === metric)
  if (figure !== undefined) return FIGURE_READINGS[figure](report)
  const [family, name] = metric.split('.')
  const quantile = QUANTILES.find((known) => known === name) ?? 'p99'
  if (family === 'overhead') {
    return report.overhead.find((entry) => entry.definition === definition)?.totalMs[quantile] ?? null
  }
  const known = FAMILIES.find((candidate) => candidate === family)
  return known === undefined || known === 'overhead' ? null : (report[`${known}Ms`]?.[quantile] ?? null)
}

function changesOf(runs: readonly HistoryRun[]): HistoryChange[] {
  const values = runs.map((run) => run.value)
  const found = changePoints(values)
  const starts = [0, ...found.map(({ index }) => index), runs.length]
  const levels = starts.slice(0, -1).map((from, level) => median(values.slice(from, starts[level + 1])))
  return found.flatMap(({ index, p }, change) => {
    const run = runs[index]
    const [before, after] = [levels[change], levels[change + 1]]
    if (!run || before === undefined || after === undefined) return []
    const delta = Number((after - before).toFixed(6))
    const deltaShare = before === 0 ? null : delta / before
    const { value: _, kt: __, ...marked } = run
    return [{ index, ...marked, before, after, delta, deltaShare, p }]
  })
}
