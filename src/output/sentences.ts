/**
 * Sentences that several outputs share, so that tables, Markdown, JUnit and annotations use the same words: a check
 * and its gate, a component's budget, the noise of the rig, the interim analyses, and how a run loaded its target.
 */
import type { ChalkInstance } from 'chalk'
import type { Check, Gate, Run, Verdict } from '../report/schema.ts'
import { DEFAULT_ARRIVAL, describeArrivals } from '../schedule/arrivals.ts'
import { type Unit, unitOf } from '../slo/metrics.ts'
import { hang } from '../system/terminal.ts'
import { counted, formatDuration, formatLimit, formatMs, formatNumber, formatShare } from '../units.ts'
import type { Estimate } from '../verdict/estimate.ts'
import type { Noise } from '../verdict/noise.ts'
import { numberFormat } from './column.ts'
import { replayParts } from './replay-line.ts'
import type { Page } from './table.ts'
import { rate } from './throughput-lines.ts'

const NAMES: Record<string, string> = {
  'overhead.p99': 'P99 overhead',
  'addedTtft.p99': 'P99 added to first tokens',
  'addedPerToken.p99': 'P99 added to later tokens',
  'hold.p99': 'P99 hold of tokens',
  'delta.ttft.p99': 'difference of the P99 times to the first token',
  'delta.latency.p99': 'difference of the P99 latencies',
  'delta.overhead.p99': 'difference of the P99 overheads',
}

const OPPOSITE = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const

/** The figure against its limit, why it was judged so, and how many requests would decide it. */
export function checkSentence(check: Check): string {
  const { why, requestsNeeded } = check
  const needed = requestsNeeded === undefined ? '' : `; about ${counted(requestsNeeded, 'request')} would decide it`
  const arm = check.arm === undefined ? '' : `${check.arm}: `
  return `${arm}${checkFigure(check)} (${why}${needed})`
}

/** 'P99 overhead 1.24 ms [1.1, 1.38] < 7 ms', without the reasons. */
function checkFigure({ metric, op, limit, value, verdict, ci95 }: Check): string {
  const name = NAMES[metric] ?? metric
  if (value === null) return name
  const breached = op.startsWith('<') ? value >= limit : value <= limit
  const relation = { pass: op, fail: breached ? OPPOSITE[op] : 'against', inconclusive: 'against' }[verdict]
  const read = quantityOf(metric, limit)
  const interval = ci95 && !isOpen(ci95) ? ` ${bracketed(ci95, read.figure)}` : ''
  return `${name} ${read.figure(value)}${read.unit}${interval} ${relation} ${read.limit}`
}

/** The number of a metric as it is shown in a column of its unit. */
export const FORMATS: Readonly<Record<Unit, (value: number) => string>> = {
  ms: formatMs,
  share: formatShare,
  'per second': rate,
}

/** What is asked of a metric, with its unit: 'overhead.p99 < 7 ms', 'errors.rate < 1 %'. */
export function askedOf({ metric, op, limit }: Check): string {
  return `${metric} ${op} ${quantityOf(metric, limit).limit}`
}

/** How a value of a metric, its interval and its limit read beside each other: in one unit. */
function quantityOf(metric: string, limit: number) {
  const unit = unitOf(metric)
  if (unit === 'share') return { figure: formatShare, unit: '', limit: formatShare(limit) }
  if (unit === 'per second') return { figure: rate, unit: ' a second', limit: `${rate(limit)} a second` }
  const inSeconds = limit >= 1_000
  return {
    figure: (ms: number) => formatMs(inSeconds ? ms / 1_000 : ms),
    unit: inSeconds ? ' s' : ' ms',
    limit: formatLimit(limit),
  }
}

/** An interval that says nothing: the run has too few blocks. */
export function isOpen([low, high]: readonly [number, number | null]): boolean {
  return low === 0 && high === null
}

export function verdictWord(verdict: Verdict): string {
  return verdict.toUpperCase()
}

/** A verdict as it stands at the head of a line. */
export function verdictLabel(verdict: Verdict, c: ChalkInstance): string {
  const shade = { pass: c.green, fail: c.red, inconclusive: c.yellow }[verdict]
  return `${shade.bold(verdictWord(verdict))}  `
}

/** A line for each check: PASS, FAIL or INCONCLUSIVE, the figure against its limit, and why. */
export function gateLines(gate: Gate, { c, width }: Page): string {
  return gate.checks.flatMap((check) => hang(verdictLabel(check.verdict, c), checkSentence(check), width)).join('\n')
}

const MARKS: Readonly<Record<Verdict, (c: ChalkInstance) => string>> = {
  pass: (c) => c.green('ok'),
  fail: (c) => c.red('over'),
  inconclusive: (c) => c.yellow('?'),
}

/**
 * A component's budget and whether it is met. Empty without a budget; a budget of 0 means that nothing may be
 * measurable.
 */
export function budgetCell(budgetMs: number | null, verdict: Verdict | null, c: ChalkInstance): string {
  if (budgetMs === null) return ''
  const mark = verdict === null ? c.yellow('?') : MARKS[verdict](c)
  return budgetMs === 0 ? `none ${mark}` : `< ${formatMs(budgetMs)} ${mark}`
}

type AnalysisRecord = NonNullable<Run['interimAnalyses']>

/** After how many pairs of blocks a run was judged, which analysis decided it, and the error probability of each. */
export function interimAnalysesLine({ planned, taken, alphaPass, alphaFail }: AnalysisRecord): string {
  const last = taken.at(-1)
  const at = taken.map(({ pairs }) => pairs).join(', ')
  const most = planned.at(-1) ?? 0
  const decided = last && last.verdict !== 'inconclusive' ? `decided at ${last.pairs}` : 'not decided'
  return (
    `Judged after ${at} of at most ${most} pairs of blocks: ${decided}. ` +
    `Error probability of each analysis: ${alphaPass} for a PASS, ${alphaFail} for a FAIL.`
  )
}

/** The noise of the rig, beside every verdict: no smaller difference can be detected on it. */
export function noiseLine(noise: Noise | undefined): string {
  if (!noise) return "Noise of this rig: unknown, the run has too few blocks; 'kt bench --aa' measures it."
  const { source, pairs, latencyMs, overheadMs } = noise
  const figures = [
    ...(latencyMs ? [`${bounds(latencyMs)} ms of latency`] : []),
    ...(overheadMs ? [`${bounds(overheadMs)} ms of overhead`] : []),
  ].join(', ')
  const how = source === 'aa' ? 'A/A' : "the run against itself; 'kt bench --aa' measures two arms"
  return `Noise of this rig: two identical arms differ at P99 by ${figures} (95 %, ${pairs} pairs of blocks, ${how}).`
}

/** The interval of a difference, '0.2 to 1.4', with its open ends in words. */
export function intervalWords(
  [low, high]: readonly [number | null, number | null],
  figure: (value: number) => string = formatMs,
): string {
  if (low === null) return high === null ? 'too few blocks' : `up to ${figure(high)}`
  return high === null ? `from ${figure(low)}` : `${figure(low)} to ${figure(high)}`
}

/** '[1.24, 3.1]', '[1.24, inf)' */
export function bracketed(
  [low, high]: readonly [number, number | null],
  figure: (value: number) => string = formatMs,
): string {
  return `[${figure(low)}, ${high === null ? 'inf)' : `${figure(high)}]`}`
}

function bounds([low, high]: readonly [number, number | null]): string {
  return `${formatMs(low)} to ${high === null ? 'inf' : formatMs(high)}`
}

type Load = Run['load']

/** `open loop, 200 requests/s, poisson arrivals`; whatever is not the default follows. */
export function loopLine({ load, totals, replay }: Run): string {
  const parts = replay ? replayParts(replay, load.rps) : load.mode === 'closed' ? closedParts(load) : openParts(load)
  if (load.conversations) parts.push(...conversationParts(load.conversations))
  if (load.thinkTimeMs !== undefined && totals.inFlight) {
    parts.push(`${formatNumber(totals.inFlight.mean, 1)} in flight on average`)
  }
  if (load.workers !== undefined) parts.push(`${load.workers} sending threads`)
  if (load.realtime) parts.push('real-time')
  return [...parts, ...connectionParts(load)].join(', ')
}

function conversationParts({ meanTurns, think }: NonNullable<Load['conversations']>): string[] {
  const turns = `conversations of ${formatNumber(meanTurns, meanTurns % 1 === 0 ? 0 : 1)} turns`
  return think
    ? [turns, `think time ${formatDuration(think.medianMs)}${think.sigma > 0 ? ' in the middle' : ''}`]
    : [turns]
}

function closedParts(load: Load): string[] {
  const { concurrency, thinkTimeMs } = load
  const count = formatNumber(concurrency ?? 0)
  if (thinkTimeMs !== undefined) {
    return [`closed loop, ${count} users`, ...shape(load), `think time ${formatDuration(thinkTimeMs)}`]
  }
  return load.stages
    ? ['closed loop', ...shape(load)]
    : [`closed loop, ${count} ${load.conversations ? 'sessions at once' : 'in flight'}`]
}

function openParts(load: Load): string[] {
  const { rps, arrival, burstiness } = load
  const rate = load.stages
    ? ['open loop', ...shape(load)]
    : [`open loop, ${rps} ${load.conversations ? 'new sessions' : 'requests'}/s`]
  return arrival === null || arrival === DEFAULT_ARRIVAL.kind
    ? rate
    : [...rate, describeArrivals(arrival, { burstiness })]
}

/** `10 for 30 s, then to 200 in 60 s`. */
function shape({ stages, mode }: Load): string[] {
  if (!stages) return []
  const unit = mode === 'open' ? ' requests/s' : ' in flight'
  const lasting = stages.filter(({ durationS }) => durationS > 0)
  const words = lasting.map(({ from, to, durationS }) => {
    const time = formatDuration(durationS * 1_000)
    return from === to ? `${from}${unit} for ${time}` : `${from} to ${to}${unit} in ${time}`
  })
  return [words.join(', then ')]
}

function connectionParts({ connection }: Load): string[] {
  if (!connection) return []
  const { http, keepAlive, certificates } = connection
  return [
    http === 'h2' ? 'HTTP/2' : '',
    keepAlive ? '' : 'a connection for every request',
    certificates === 'any' ? 'certificates not verified (--insecure)' : '',
    certificates === 'own-ca' ? 'certificates by --ca' : '',
  ].filter((part) => part !== '')
}

/**
 * Requests of an open loop that waited to be sent, noted when the wait makes the tail. A tool that measures from the
 * sending alone misses this wait (coordinated omission).
 */
export function omissionNote({ load, latencyMs, serviceMs }: Run): string | undefined {
  if (load.mode !== 'open' || !latencyMs || !serviceMs) return undefined
  const waitedMs = latencyMs.p99 - serviceMs.p99
  if (waitedMs < 5 || latencyMs.p99 < 2 * serviceMs.p99) return undefined
  return (
    `requests waited to be sent: P99 is ${formatMs(latencyMs.p99)} from the intended time, which is what ` +
    'users experience, and ' +
    `${formatMs(serviceMs.p99)} from sent, which hides the wait behind a slow answer (coordinated omission)`
  )
}

/** How much the gateway adds, in one sentence. */
export function estimateSentence({ kind, p50, p99 }: Estimate): string {
  const readings = [p50, p99].flatMap((reading) => reading ?? [])
  const bounds = readings.flatMap(({ ci95Ms }) => ci95Ms ?? [])
  const figure = numberFormat([...readings.map(({ valueMs }) => valueMs), ...bounds])
  const read = ({ valueMs, ci95Ms }: Estimate['p99']): string =>
    `${figure(valueMs)} ms${ci95Ms && !isOpen(ci95Ms) ? ` ${bracketed(ci95Ms, figure)}` : ''}`
  if (kind === 'regression') return `The new gateway's P99 is ${read(p99)} above the old one's.`
  return `The gateway adds ${p50 ? `${read(p50)} at P50 and ` : ''}${read(p99)} at P99.`
}

/** What an estimate rests on. */
export function estimateBasis({ kind, judgedBy: { definition, source } }: Estimate): string {
  return `In brackets: 95 %, by blocks; read from ${kind === 'overhead' ? `${definition}: ${source}` : source}.`
}
