/** A sweep as text: what it came to, each curve with its levels, its knee and its frontier; more on request. */
import type { SweepCurve, SweepLevel, SweepReport } from '../report/sweep-schema.ts'
import { COUNTED_BY } from '../report/token-basis.ts'
import { hang } from '../system/terminal.ts'
import { counted, formatMs, formatNumber } from '../units.ts'
import { answered } from './answer.ts'
import { restsOn, suspectSentence } from './answers.ts'
import { bytesFormat, numberFormat } from './column.ts'
import { bracketed } from './sentences.ts'
import { cutOffSentence, levelName, levelNumber, sweepAnswer } from './sweep-answer.ts'
import { columns, type Page, paragraph } from './table.ts'
import { untilTable } from './until-table.ts'

export function renderSweep(report: SweepReport, page: Page): string {
  const { c, width } = page
  const { target, load } = report
  const named = target.gateway ? ` (${target.gateway})` : ''
  const asked = `${target.model}, ${target.endpoint}${target.stream ? ', streamed' : ''}`
  const heading = [
    ...hang(`${c.bold('kt bench sweep')}  `, `${asked}; ${load.stepS} s a level; seed ${load.seed}`, width),
    c.dim(paragraph(`${target.url}${named}`, page, '  ')),
  ].join('\n')
  const several = report.curves.length > 1
  const interrupted = report.interrupted ? c.yellow('Interrupted: these are the results up to then.') : ''
  return answered(
    sweepAnswer(report),
    [
      heading,
      ...report.curves.flatMap((curve) => [
        several ? c.bold(workersName(curve)) : '',
        `${latencies(curve, report, page)}\n${conclusions(curve, report, page).join('\n')}`,
        page.explain && curve.levels.length > 0 ? throughput(curve, report, page) : '',
      ]),
      scaling(report, page),
      interrupted,
    ],
    page,
  )
}

function latencies({ levels }: SweepCurve, report: SweepReport, { c, width }: Page): string {
  const head = [levelHead(report), 'done/s', 'P50 (ms)', 'P99', 'added P50', 'P99', 'by blocks', '']
  const cells = {
    done: inColumn(levels, (level) => level.achievedRps),
    p50: inColumn(levels, ({ latencyMs }) => latencyMs?.p50),
    p99: inColumn(levels, ({ latencyMs }) => latencyMs?.p99),
    addedP50: inColumn(levels, ({ overheadMs }) => overheadMs?.p50),
    addedP99: inColumn(levels, ({ overheadMs }) => overheadMs?.p99),
  }
  const bound = numberFormat(levels.map(({ overheadMs }) => overheadMs?.p99))
  const rows = levels.map((level, i) => [
    levelNumber(level.level),
    ...Object.values(cells).map((column) => column[i] ?? '-'),
    level.overheadMs ? bracketed(level.overheadMs.ci95, bound) : '',
    [remark(level), restsOn(level.requests - level.failed, level.requests)].filter((part) => part !== '').join(' '),
  ])
  return columns([head.map((name) => c.dim(name)), ...rows], { width, spare: [2, 4] })
}

/** A figure of every level, in one unit and with as many decimals. */
function inColumn(levels: readonly SweepLevel[], read: (level: SweepLevel) => number | null | undefined): string[] {
  const values = levels.map(read)
  return values.map(numberFormat(values))
}

/** Tokens and bytes per second, requests in flight, and the usage of the embedded gateway. */
function throughput({ levels }: SweepCurve, report: SweepReport, page: Page): string {
  const { c, width } = page
  const known = levels.some(({ gateway }) => gateway)
  const tokens = levels.some(({ outputTokensPerSec }) => outputTokensPerSec !== null)
  const basis = levels.find(({ tokenSource }) => tokenSource !== 'none')?.tokenSource ?? 'none'
  const others = levels.filter(({ tokenSource }) => tokenSource !== basis && tokenSource !== 'none')
  const inBytes = (read: (level: SweepLevel) => number | undefined): string[] => {
    const values = levels.map(read)
    return values.map(bytesFormat(values))
  }
  // Tokens only where they were counted as those of the first level.
  const ofTokens = (name: 'inputTokensPerSec' | 'outputTokensPerSec'): string[] =>
    inColumn(levels, (level) => (level.tokenSource === basis ? level[name] : null))
  const table: [string, string[]][] = [
    [levelHead(report), levels.map(({ level }) => levelNumber(level))],
    ...(tokens
      ? ([
          ['input tok/s', ofTokens('inputTokensPerSec')],
          ['output', ofTokens('outputTokensPerSec')],
        ] as [string, string[]][])
      : []),
    ['bytes/s', inBytes(({ bytesPerSec }) => bytesPerSec)],
    [report.target.stream ? 'streams' : 'mean', inColumn(levels, ({ inFlight }) => inFlight?.mean)],
    ...(known
      ? ([
          ['cores', inColumn(levels, ({ gateway }) => gateway?.cpuCores)],
          ['memory', inBytes(({ gateway }) => gateway?.rssBytes)],
        ] as [string, string[]][])
      : []),
    ['', levels.map(({ requests, failed }) => restsOn(requests - failed, requests))],
  ]
  const mixed =
    others.length > 0 ? `; - where they were counted by ${COUNTED_BY[others[0]?.tokenSource ?? 'none']}` : ''
  const note = c.dim(paragraph(`tokens counted by ${COUNTED_BY[basis]}${mixed}`, page, '  '))
  const rows = levels.map((_, i) => table.map(([, cells]) => cells[i] ?? ''))
  const owner = known ? `\n${c.dim(paragraph('cores and memory: of the gateway', page, '  '))}` : ''
  return columns([table.map(([name]) => c.dim(name)), ...rows], { width }) + (tokens ? `\n${note}` : '') + owner
}

function conclusions(curve: SweepCurve, report: SweepReport, page: Page): string[] {
  const { knee, until, levels } = curve
  const { c } = page
  const cut = cutOffSentence(curve, report)
  const bend = knee
    ? `Knee: ${levelName(knee.level, report)}, ${formatNumber(knee.achievedRps)} requests/s: ${knee.why}.`
    : 'Knee: none within these levels.'
  const marks =
    '! client saturated, ~ machine noisy, < rate not reached, ^ not steady, f failures: such a level is unreliable.'
  const cutOff = cut === undefined ? [] : [c.yellow(paragraph(cut, page))]
  if (levels.length === 0) return cutOff
  return [
    ...cutOff,
    paragraph(bend, page),
    ...(levels.some((level) => level.overheadMs)
      ? frontier(curve, report, page)
      : [paragraph('The overhead is unknown: the provider does not stamp and the gateway reports nothing.', page)]),
    ...(until ? [untilTable(curve, until, report, page)] : []),
    ...levels.flatMap(({ level, answers }) => {
      if (!answers?.suspect) return []
      return [c.yellow(paragraph(`${levelName(level, report)}: ${suspectSentence(answers.suspect)}`, page))]
    }),
    ...(levels.some((level) => remark(level) !== '') ? [c.dim(paragraph(marks, page))] : []),
  ]
}

function frontier({ frontier: points }: SweepCurve, report: SweepReport, page: Page): string[] {
  const words = points.map(({ limitMs, level, achievedRps, certain }) => {
    const reach =
      level === null
        ? 'nowhere'
        : `${levelName(level, report)} (${formatNumber(achievedRps ?? 0)}/s)${certain ? '' : '?'}`
    return `<= ${formatMs(limitMs)} ms: ${reach}`
  })
  const unsure = points.some(({ level, certain }) => level !== null && !certain)
  return [
    paragraph(`Frontier, added P99 ${words.join('; ')}.`, page),
    ...(unsure ? [paragraph('? the interval of that level exceeds the limit.', page)] : []),
  ]
}

function scaling({ scaling: points, machine }: SweepReport, page: Page): string {
  if (!points) return ''
  const { c, width } = page
  const rows = points.map(({ gatewayWorkers, level, achievedRps, timesFirst }) => [
    String(gatewayWorkers),
    levelNumber(level),
    formatNumber(achievedRps),
    `${formatNumber(timesFirst, 2)}x`,
  ])
  const shared =
    `The gateway, the provider and kt shared the ${counted(machine.cores, 'core')} of this machine, which ` +
    'also bounds the figures.'
  const head = ['processes', 'at', 'max done/s', 'vs first'].map((name) => c.dim(name))
  const table = columns([head, ...rows], { width })
  return `${c.bold('Scaling over gateway processes')}\n${table}\n${c.dim(paragraph(shared, page, '  '))}`
}

function remark({ client, steady, failed }: SweepLevel): string {
  return (
    { saturated: '!', noisy: '~', 'rate-not-reached': '<', ok: '' }[client] +
    (steady ? '' : '^') +
    (failed > 0 ? 'f' : '')
  )
}

function workersName({ gatewayWorkers }: SweepCurve): string {
  return `Gateway of ${counted(gatewayWorkers ?? 1, 'process', 'processes')}`
}

function levelHead({ load }: SweepReport): string {
  return load.mode === 'open' ? 'offered/s' : 'in flight'
}
