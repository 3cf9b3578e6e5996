/** A sweep for a person: the curve, its knee and its frontier. Fits 80 columns. Strings out. */
import type { ChalkInstance } from 'chalk'
import type { SweepLevel, SweepReport } from '../report/sweep-schema.ts'
import { formatMs, formatNumber } from '../units.ts'
import { columns, paint } from './table.ts'
import { hung } from './text.ts'

export function renderSweep(report: SweepReport, color: boolean): string {
  const c = paint(color)
  const named = report.target.gateway ? ` (${report.target.gateway})` : ''
  const stream = report.target.stream ? ', streamed' : ''
  const heading = [
    `${c.bold('kt bench sweep')}  ${report.target.model}, ${report.target.endpoint}${stream}; ${report.load.stepS} s a level; seed ${report.load.seed}`,
    c.dim(`  ${report.target.url}${named}`),
  ].join('\n')
  const until = report.until
    ? hung(
        `Added P99 under ${formatMs(report.until.limitMs)} ms: ${report.until.level === null ? 'nowhere' : `up to ${levelName(report.until.level, report)}`} (${report.until.why})`,
        '',
      )
    : ''
  const interrupted = report.interrupted ? c.yellow('Interrupted: this is what was measured until then.') : ''
  return [heading, curve(report, c), until, interrupted].filter((part) => part !== '').join('\n\n')
}

function curve(report: SweepReport, c: ChalkInstance): string {
  const head = [
    report.load.mode === 'open' ? 'asked/s' : 'in flight',
    'done/s',
    'P50',
    'P99',
    'added P50',
    'P99',
    'by blocks',
    '',
  ]
  const rows = report.levels.map((level) => row(level))
  const knee = report.knee
    ? `Knee: ${levelName(report.knee.level, report)}, ${formatNumber(report.knee.achievedRps)} requests/s: ${report.knee.why}.`
    : 'Knee: none within these levels.'
  const marks = report.levels.some((level) => remark(level) !== '')
    ? ['! client saturated, ~ machine noisy, ^ not steady, f failures: such a level proves little.']
    : []
  const known = report.levels.some((level) => level.overheadMs)
  return `${columns([head.map((name) => c.dim(name)), ...rows])}\n${[
    hung(knee, ''),
    ...(known ? frontier(report) : ['The overhead is not known: no stamps, no report from the gateway.']),
    ...marks.map((line) => c.dim(hung(line, ''))),
  ].join('\n')}`
}

function row(level: SweepLevel): string[] {
  const { overheadMs: o, latencyMs: l } = level
  return [
    formatNumber(level.level, Number.isInteger(level.level) ? 0 : 1),
    formatNumber(level.achievedRps, level.achievedRps < 100 ? 1 : 0),
    l ? formatMs(l.p50) : '-',
    l ? formatMs(l.p99) : '-',
    o ? formatMs(o.p50) : '-',
    o ? formatMs(o.p99) : '-',
    o ? `[${formatMs(o.ci95[0])}, ${o.ci95[1] === null ? 'inf)' : `${formatMs(o.ci95[1])}]`}` : '',
    remark(level),
  ]
}

function remark({ client, steady, failed }: SweepLevel): string {
  return [client === 'saturated' ? '!' : client === 'noisy' ? '~' : '', steady ? '' : '^', failed > 0 ? 'f' : ''].join(
    '',
  )
}

function frontier(report: SweepReport): string[] {
  const points = report.frontier
  const words = points.map(({ limitMs, level, achievedRps, certain }) => {
    const reach =
      level === null
        ? 'nowhere'
        : `${levelName(level, report)} (${formatNumber(achievedRps ?? 0)}/s)${certain ? '' : '?'}`
    return `<= ${formatMs(limitMs)} ms: ${reach}`
  })
  const unsure = points.some(({ level, certain }) => level !== null && !certain)
  return [
    hung(`Frontier, added P99 ${words.join('; ')}.`, ''),
    ...(unsure ? [hung('? the interval of that level reaches over the limit.', '')] : []),
  ]
}

function levelName(level: number, report: SweepReport): string {
  return report.load.mode === 'open'
    ? `${formatNumber(level, Number.isInteger(level) ? 0 : 1)} requests/s`
    : `${formatNumber(level)} in flight`
}
