/**
 * The result of `kt bench` as text: what it came to, then requests, latency, throughput and gateway overhead as the
 * guide prints them, then what to know of the run. How the figures were made is told on request.
 */
import type { StopReason } from '../load/limits.ts'
import { primaryRun, runsOf } from '../report/runs.ts'
import type { BenchReport, Gate, Run } from '../report/schema.ts'
import { hang } from '../system/terminal.ts'
import { counted, formatDuration, formatNumber, formatShare } from '../units.ts'
import { estimateAdded } from '../verdict/estimate.ts'
import { uncategorised } from '../verdict/slo.ts'
import { OUTCOMES, type Outcome } from '../wire/outcome.ts'
import { answered } from './answer.ts'
import { answersLine } from './answers-line.ts'
import { benchAnswer, gatewaysAnswer } from './bench-answer.ts'
import { connectionsNote, ending, heading, tookNote, verdictBasis } from './bench-ending.ts'
import { overheadBlock, overheadSection } from './bench-overhead.ts'
import { canceledLines } from './canceled-lines.ts'
import { conversationSection } from './conversation-table.ts'
import { differencesSection, droppedLines, gatewaysSection, loadSection, streamsSection } from './gateways-table.ts'
import { cacheSection, modelSection } from './group-tables.ts'
import { latencySection } from './latency-table.ts'
import { estimateBasis, gateLines } from './sentences.ts'
import { sloSection } from './slo-table.ts'
import type { Statistic } from './statistics.ts'
import { columns, type Page, paragraph } from './table.ts'
import { throughputSection } from './throughput-lines.ts'
import { toldWaitsLines } from './told-waits-line.ts'

interface BenchView {
  /** Show the time to first byte without --stream too. */
  showTtfb: boolean
  /** The statistics of durations that were asked for. */
  statistics?: readonly Statistic[] | undefined
  details: Partial<Record<Outcome, string>>
  stopped: StopReason | null
  /** Every check that decides the exit code; null where nothing was asked. */
  verdict: Gate | null
}

export function renderBench(bench: BenchReport, view: BenchView, page: Page): string {
  if (runsOf(bench).length > 1) return renderGateways(bench, view, page)
  const { c, explain } = page
  const report = primaryRun(bench)
  const { baseline, totals } = report
  const measured = totals.successful > 0 && view.stopped !== 'refused'
  const figures = [
    results(report, page),
    ...(measured
      ? [
          latencySection(report, view, page),
          conversationSection(report, page),
          modelSection(report, page),
          cacheSection(report, page),
          throughputSection(report, page),
          overheadBlock(report, view, page),
        ]
      : []),
  ]
  return answered(
    benchAnswer(report, view.verdict, view.stopped, explain),
    [
      explain ? heading(report, page) : '',
      figures.filter((part) => part !== '').join(explain ? '\n\n' : '\n'),
      explain && measured ? overheadSection(report, page) : '',
      failures(totals, '', view, page),
      baseline
        ? failures(baseline.totals, `${baseline.role === 'direct' ? ' directly' : ' on the other arm'}`, view, page)
        : '',
      canceledLines(report)
        .map((line) => paragraph(line, page))
        .join('\n'),
      toldWaitsLines(report)
        .map((line) => c.yellow(paragraph(line, page)))
        .join('\n'),
      ending(report, view.stopped, view.verdict !== null, page),
      measured && report.slo ? sloSection(report.slo, uncategorised(report), page) : '',
      report.gate && (explain || (view.verdict?.checks.length ?? 0) > 1) ? gateLines(report.gate, page) : '',
      explain && measured ? c.dim(basis(report, page)) : '',
    ],
    page,
  )
}

/** Of several gateways a row each, instead of a section each. */
function renderGateways(bench: BenchReport, view: BenchView, page: Page): string {
  const { c, explain, width } = page
  const runs = runsOf(bench)
  const [first, ...others] = runs
  // The ending tells of the first one that answered what is to be said of its answers.
  const told = runs.find(({ totals }) => totals.successful > 0) ?? first
  const changed = runs.flatMap((run) => {
    const answers = run === told ? undefined : answersLine(run)
    return answers?.warn ? [`${run.name}: ${answers.text}`] : []
  })
  const sentences = runs.map((run) => failures(run.totals, ` through ${run.name}`, view, page))
  return answered(
    gatewaysAnswer(bench, view.verdict, view.stopped, explain),
    [
      explain ? heading(first, page, others) : '',
      hang(
        `${c.bold('Benchmark Results:')} `,
        c.dim(`${bench.target.model}, ${runs.length} gateways in turns, ${paceOf(first)}, with a nonce`),
        width,
      ).join('\n'),
      gatewaysSection(bench, page),
      loadSection(bench, page),
      streamsSection(bench, page),
      differencesSection(bench, page),
      droppedLines(bench)
        .map((line) => c.yellow(paragraph(line, page)))
        .join('\n'),
      ...sentences,
      first.baseline ? failures(first.baseline.totals, ' on the baseline', view, page) : '',
      ending(told, view.stopped, view.verdict !== null, page),
      ...changed.map((line) => c.yellow(paragraph(line, page))),
      bench.gate ? gateLines(bench.gate, page) : '',
      explain ? c.dim(basis(first, page)) : '',
    ],
    page,
  )
}

/** What the answer rests on. */
function basis(report: Run, page: Page): string {
  const estimate = estimateAdded(report)
  const lines = [...(estimate ? [paragraph(estimateBasis(estimate), page)] : []), verdictBasis(report, page)]
  return lines.join('\n')
}

function sessionPace({ load: { mode, rps, concurrency } }: Run): string {
  return mode === 'open' ? `${rps} new sessions/s` : `${formatNumber(concurrency ?? 0)} sessions at once`
}

function paceOf(report: Run): string {
  const { load } = report
  return report.replay
    ? 'replay of a trace'
    : load.conversations
      ? sessionPace(report)
      : load.stages || load.thinkTimeMs !== undefined
        ? `${load.mode} loop`
        : load.mode === 'open'
          ? `${load.rps} requests/s`
          : `${formatNumber(load.concurrency ?? 0)} in flight`
}

function results(report: Run, page: Page): string {
  const { c, explain, width } = page
  const { totals, target, url } = report
  const { host } = new URL(url)
  const pace = paceOf(report)
  const partial = report.aborted ? c.yellow(' (of a part of the run)') : ''
  const title = hang(
    `${c.bold('Benchmark Results:')}${partial} `,
    c.dim(`${target.model} at ${host}${wayTo(url, report)}, ${pace}, ${nonceWords(report)}`),
    width,
  )
  const rows = [
    ['Total Requests:', formatNumber(totals.sent)],
    ['Successful:', formatNumber(totals.successful)],
    ['Failed:', formatNumber(totals.failed)],
    ['Duration:', formatDuration(totals.durationS * 1_000), c.dim(tookNote(report))],
  ]
  return [
    ...title,
    columns(rows, { width, align: ['left', 'right', 'left'] }),
    ...(explain ? [c.dim(paragraph(connectionsNote(report), page, '  '))] : []),
  ].join('\n')
}

/** Whether requests are unlike each other, and which share is not. */
function nonceWords({ load: { workload } }: Run): string {
  if (workload.nonce === false) return 'without a nonce'
  return `with a nonce${workload.cacheHits ? `, ${formatShare(workload.cacheHits.share)} repeated` : ''}`
}

/** Who stands between, where a target is not reached by name and port: ' through the proxy p:3128'. */
function wayTo(url: string, { load }: Run): string {
  const { origin } = new URL(url)
  const route = load.connection?.routes?.find((one) => one.origin === origin)
  return route ? ` ${route.way}` : ''
}

/** More classes of failures than these are told with --explain, where there are figures to show as well. */
const MOST_CLASSES = 2

/** Each class of failure of an arm with its count, the reason the target gave, and what to do. */
function failures(totals: Run['totals'], where: string, view: BenchView, page: Page): string {
  if (totals.failed === 0) return ''
  const { c, width } = page
  const classes = Object.entries(totals.outcomes)
    .filter(([code]) => code !== 'OK')
    .toSorted(([, a], [, b]) => b - a)
    .map(([code, count]) => ({ code: code as Outcome, count, detail: view.details[code as Outcome] }))
  const unanswered = (totals.outcomes.KT_ABORTED_AT_DEADLINE ?? 0) === totals.failed
  const title = unanswered
    ? c.bold(`Not answered in time${where}`)
    : totals.successful === 0
      ? c.red.bold(`Every request failed${where}`)
      : c.bold(`Failures${where}`)
  if (totals.successful > 0 && !page.explain) {
    const [first] = classes
    const rest =
      classes.length > MOST_CLASSES ? [`  ${counted(classes.length - MOST_CLASSES, 'more class', 'more classes')}`] : []
    const lines = classes.slice(0, MOST_CLASSES).map((one) => classLine(one, page))
    return [...(where === '' ? [] : [title]), ...lines, ...rest, ...(first ? [adviceOn(first.code, page)] : [])].join(
      '\n',
    )
  }
  const lines = classes.flatMap(({ code, count, detail }) => [
    ...hang(`  ${c.red(code)}  `, `${formatNumber(count)} x ${OUTCOMES[code].means}`, width),
    ...(detail ? [c.dim(paragraph(`"${detail}"`, page, '    '))] : []),
    paragraph(OUTCOMES[code].next, page, '    '),
  ])
  return [title, ...lines].join('\n')
}

interface FailureClass {
  code: Outcome
  count: number
  detail: string | undefined
}

/** All of it on one line; what the target said is cut off where the line ends. */
function classLine({ code, count, detail }: FailureClass, { c, width }: Page): string {
  const words = `${formatNumber(count)} x ${OUTCOMES[code].means}${detail ? `: "${detail}"` : ''}`
  const room = width - `  ${code}  `.length
  return `  ${c.red(code)}  ${words.length > room ? `${words.slice(0, room - 1)}…` : words}`
}

/** The first sentence of what to do. */
function adviceOn(code: Outcome, page: Page): string {
  return paragraph(OUTCOMES[code].next.replace(/(?<=[.;]) .*$/s, '').replace(/;$/, '.'), page, '    ')
}
