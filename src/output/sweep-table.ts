/** A sweep as text in 80 columns: each curve with the throughput of its levels, its knee and its frontier. */
import type { ChalkInstance } from 'chalk'
import type { SweepCurve, SweepLevel, SweepReport } from '../report/sweep-schema.ts'
import { COUNTED_BY } from '../report/token-basis.ts'
import { formatBytes, formatCount, formatMs, formatNumber } from '../units.ts'
import { restsOn, suspectSentence } from './answers.ts'
import { bracketed } from './sentences.ts'
import { columns, paint, wrapHanging } from './table.ts'

export function renderSweep(report: SweepReport, color: boolean): string {
  const c = paint(color)
  const named = report.target.gateway ? ` (${report.target.gateway})` : ''
  const stream = report.target.stream ? ', streamed' : ''
  const heading = [
    wrapHanging(
      `kt bench sweep  ${report.target.model}, ${report.target.endpoint}${stream}; ${report.load.stepS} s a ` +
        `level; seed ${report.load.seed}`,
      '',
    ).replace('kt bench sweep', c.bold('kt bench sweep')),
    c.dim(`  ${report.target.url}${named}`),
  ].join('\n')
  const several = report.curves.length > 1
  const interrupted = report.interrupted ? c.yellow('Interrupted: these are the results up to then.') : ''
  return [
    heading,
    ...report.curves.flatMap((curve) => [several ? c.bold(workersName(curve)) : '', ...curveParts(curve, report, c)]),
    scaling(report, c),
    interrupted,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function curveParts(curve: SweepCurve, report: SweepReport, c: ChalkInstance): string[] {
  return [`${latencies(curve, report, c)}\n${conclusions(curve, report, c).join('\n')}`, throughput(curve, report, c)]
}

function latencies({ levels }: SweepCurve, report: SweepReport, c: ChalkInstance): string {
  const head = [levelHead(report), 'done/s', 'P50', 'P99', 'added P50', 'P99', 'by blocks', '']
  const rows = levels.map((level) => {
    const { overheadMs: o, latencyMs: l } = level
    return [
      levelNumber(level.level),
      formatNumber(level.achievedRps, level.achievedRps < 100 ? 1 : 0),
      ...[l?.p50, l?.p99, o?.p50, o?.p99].map((ms) => (ms === undefined ? '-' : formatMs(ms))),
      o ? bracketed(o.ci95) : '',
      [remark(level), answered(level)].filter((part) => part !== '').join(' '),
    ]
  })
  return columns([head.map((name) => c.dim(name)), ...rows])
}

/** Tokens and bytes per second, requests in flight, and the usage of the embedded gateway. */
function throughput({ levels }: SweepCurve, report: SweepReport, c: ChalkInstance): string {
  const known = levels.some(({ gateway }) => gateway)
  const tokens = levels.some(({ outputTokensPerSec }) => outputTokensPerSec !== null)
  const head = [
    levelHead(report),
    ...(tokens ? ['input tok/s', 'output'] : []),
    'bytes/s',
    report.target.stream ? 'streams' : 'mean',
    ...(known ? ['gateway: cores', 'memory'] : []),
    '',
  ]
  const basis = levels.find(({ tokenSource }) => tokenSource !== 'none')?.tokenSource ?? 'none'
  const others = levels.filter(({ tokenSource }) => tokenSource !== basis && tokenSource !== 'none')
  const rows = levels.map((measured) => [
    levelNumber(measured.level),
    ...(tokens ? tokenCells(measured, basis) : []),
    formatBytes(measured.bytesPerSec),
    measured.inFlight ? formatNumber(measured.inFlight.mean, 1) : '-',
    ...(known
      ? [
          measured.gateway ? formatNumber(measured.gateway.cpuCores, 2) : '-',
          measured.gateway ? formatBytes(measured.gateway.rssBytes) : '-',
        ]
      : []),
    answered(measured),
  ])
  const mixed =
    others.length > 0 ? `; - where they were counted by ${COUNTED_BY[others[0]?.tokenSource ?? 'none']}` : ''
  const note = c.dim(wrapHanging(`tokens counted by ${COUNTED_BY[basis]}${mixed}`, '  '))
  return columns([head.map((name) => c.dim(name)), ...rows]) + (tokens ? `\n${note}` : '')
}

/** The tokens of a level, where they were counted as those of the first one. */
function tokenCells(level: Pick<SweepLevel, TokenKey>, basis: SweepLevel['tokenSource']): string[] {
  const { inputTokensPerSec, outputTokensPerSec, tokenSource } = level
  return [inputTokensPerSec, outputTokensPerSec].map((rate) =>
    rate === null || tokenSource !== basis ? '-' : formatCount(rate),
  )
}

type TokenKey = 'inputTokensPerSec' | 'outputTokensPerSec' | 'tokenSource'

function conclusions(curve: SweepCurve, report: SweepReport, c: ChalkInstance): string[] {
  const { knee, until, levels } = curve
  const bend = knee
    ? `Knee: ${levelName(knee.level, report)}, ${formatNumber(knee.achievedRps)} requests/s: ${knee.why}.`
    : 'Knee: none within these levels.'
  const found = until
    ? `Added P99 under ${formatMs(until.limitMs)} ms: ` +
      `${until.level === null ? 'nowhere' : `up to ${levelName(until.level, report)}`} (${until.why})`
    : ''
  const marks =
    '! client saturated, ~ machine noisy, < rate not reached, ^ not steady, f failures: such a level is unreliable.'
  return [
    wrapHanging(bend, ''),
    ...(levels.some((level) => level.overheadMs)
      ? frontier(curve, report)
      : ['The overhead is unknown: the provider does not stamp and the gateway reports nothing.']),
    ...(found === '' ? [] : [wrapHanging(found, '')]),
    ...levels.flatMap(({ level, answers }) => {
      if (!answers?.suspect) return []
      return [c.yellow(wrapHanging(`${levelName(level, report)}: ${suspectSentence(answers.suspect)}`, ''))]
    }),
    ...(levels.some((level) => remark(level) !== '') ? [c.dim(wrapHanging(marks, ''))] : []),
  ]
}

function frontier({ frontier: points }: SweepCurve, report: SweepReport): string[] {
  const words = points.map(({ limitMs, level, achievedRps, certain }) => {
    const reach =
      level === null
        ? 'nowhere'
        : `${levelName(level, report)} (${formatNumber(achievedRps ?? 0)}/s)${certain ? '' : '?'}`
    return `<= ${formatMs(limitMs)} ms: ${reach}`
  })
  const unsure = points.some(({ level, certain }) => level !== null && !certain)
  return [
    wrapHanging(`Frontier, added P99 ${words.join('; ')}.`, ''),
    ...(unsure ? [wrapHanging('? the interval of that level exceeds the limit.', '')] : []),
  ]
}

function scaling({ scaling: points, machine }: SweepReport, c: ChalkInstance): string {
  if (!points) return ''
  const rows = points.map(({ gatewayWorkers, level, achievedRps, timesFirst }) => [
    String(gatewayWorkers),
    levelNumber(level),
    formatNumber(achievedRps),
    `${formatNumber(timesFirst, 2)}x`,
  ])
  const shared =
    `The gateway, the provider and kt shared the ${machine.cores} cores of this machine, which ` +
    'also bounds the ' +
    'figures.'
  return `${c.bold('Scaling over gateway processes')}\n${columns([
    ['processes', 'at', 'max done/s', 'vs first'].map((name) => c.dim(name)),
    ...rows,
  ])}\n${c.dim(wrapHanging(shared, '  '))}`
}

function remark({ client, steady, failed }: SweepLevel): string {
  return (
    { saturated: '!', noisy: '~', 'rate-not-reached': '<', ok: '' }[client] +
    (steady ? '' : '^') +
    (failed > 0 ? 'f' : '')
  )
}

/** How many answers a level rests on, where not all requests were answered. */
function answered({ requests, failed }: SweepLevel): string {
  return restsOn(requests - failed, requests)
}

function workersName({ gatewayWorkers }: SweepCurve): string {
  return `Gateway of ${gatewayWorkers} process${gatewayWorkers === 1 ? '' : 'es'}`
}

function levelHead({ load }: SweepReport): string {
  return load.mode === 'open' ? 'offered/s' : 'in flight'
}

function levelNumber(level: number): string {
  return formatNumber(level, Number.isInteger(level) ? 0 : 1)
}

function levelName(level: number, report: SweepReport): string {
  return report.load.mode === 'open' ? `${levelNumber(level)} requests/s` : `${formatNumber(level)} in flight`
}
