/** The durations of a run: a row for each statistic, and a column for each duration that was measured. */

import { readHistogram } from '../report/histogram-text.ts'
import type { DurationSummary, Run } from '../report/schema.ts'
import { type DurationSpec, METRIC_NAMES, METRICS, type Shown } from '../slo/metrics.ts'
import { formatMs, formatNumber } from '../units.ts'
import { answerNotes, restOfDuration } from './answers.ts'
import { numberFormat } from './column.ts'
import { bracketed, omissionNote } from './sentences.ts'
import { ALL_STATISTICS, readStatistic, type Statistic, statisticName, USUAL_STATISTICS } from './statistics.ts'
import { columns, type Page, paragraph } from './table.ts'

const FEW_STATISTICS = [0.5, 0.99] as const

const SHOWN: Record<Shown, (report: Run, showTtfb: boolean) => boolean> = {
  always: () => true,
  'open loop': ({ load }) => load.mode === 'open',
  'streams or asked for': ({ target }, showTtfb) => target.stream || showTtfb,
  'no keep-alive': ({ load }) => load.connection?.keepAlive === false,
  'with the overhead': () => false,
}

/** What concerns connections stands last. */
const IN_ORDER = METRIC_NAMES.toSorted(
  (a, b) => Number(METRICS[a].shown === 'no keep-alive') - Number(METRICS[b].shown === 'no keep-alive'),
)

type MetricWords = Pick<DurationSpec, 'label' | 'openLabel' | 'short' | 'shown'>

interface ShownDuration {
  label: string
  short: string
  measured: DurationSummary
  /** How many answers it rests on, where not on all, and whether it is suspect. */
  rest: string
}

/** The durations of a run in the order of their table, without those that were not measured. */
export function shownDurations(report: Run, showTtfb: boolean): ShownDuration[] {
  return IN_ORDER.flatMap((metric) => {
    const { label, openLabel = label, short, shown }: MetricWords = METRICS[metric]
    const measured = SHOWN[shown](report, showTtfb) ? report[`${metric}Ms`] : undefined
    if (!measured) return []
    const rest = restOfDuration(report, metric, measured)
    return [{ label: report.load.mode === 'open' ? openLabel : label, short, measured, rest }]
  })
}

interface LatencyView {
  /** Show the time to first byte without --stream too. */
  showTtfb: boolean
  /** The statistics that were asked for. */
  statistics?: readonly Statistic[] | undefined
}

export function latencySection(report: Run, { showTtfb, statistics }: LatencyView, page: Page): string {
  const { c, explain, width } = page
  const shown = shownDurations(report, showTtfb)
  if (shown.length === 0) return ''
  // Where requests failed, the page is also about those.
  const hasFailed = report.totals.failed > 0
  const asked = statistics ?? (explain ? ALL_STATISTICS : hasFailed ? FEW_STATISTICS : USUAL_STATISTICS)
  const cells = shown.map(({ measured }) => {
    const durations = readHistogram(measured.histogram)
    const values = asked.map((statistic) => readStatistic(durations, statistic))
    return values.map(numberFormat(values))
  })
  const heads = shown.map(({ short }) => (shown.length > 1 ? c.dim(short) : ''))
  const rows = asked.map((statistic, i) => [
    `  ${statisticName(statistic)}:`,
    ...cells.map((column) => column[i] ?? ''),
  ])
  // Of one duration, the successful requests are its number.
  const rests =
    (explain || !hasFailed || shown.length > 1) && shown.some(({ rest }) => rest !== '')
      ? [['', ...shown.map(({ rest }) => c.dim(rest))]]
      : []
  const table = columns([[c.bold('Latency (ms):'), ...heads], ...rows, ...rests], { width, indent: 0 })
  const doubts = [omissionNote(report) ?? '', ...answerNotes(report)]
    .filter((line) => line !== '')
    .map((line) => c.yellow(paragraph(line, page, '  ')))
  return [table, ...(explain ? notes(report, shown) : []).map((line) => c.dim(paragraph(line, page, '  '))), ...doubts]
    .filter((part) => part !== '')
    .join('\n')
}

function notes(report: Run, shown: readonly ShownDuration[]): string[] {
  const words = shown.map(({ short, label }) => (short === label ? '' : `${short}: ${label.trim().toLowerCase()}`))
  return [words.filter((word) => word !== '').join('; '), report.latencyMs ? tailNote(report.latencyMs) : ''].filter(
    (line) => line !== '',
  )
}

/** The P99 with its interval; marked where fewer than ten observations lie beyond it. */
function tailNote({ count, p99, iid95 }: DurationSummary): string {
  const few = count * 0.01 < 10 ? `; fewer than ten requests lie beyond it` : ''
  return (
    `P99 of latency: ${formatMs(p99)} ${bracketed(iid95.p99)} (95 %, were the requests independent), ` +
    `n=${formatNumber(count)}${few}`
  )
}
