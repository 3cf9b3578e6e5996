/**
 * The result of a bench of several gateways: what each adds, in their order, and which differences are proven. The same
 * rows stand on the page and in Markdown.
 */
import { runsOf } from '../report/runs.ts'
import type { BenchReport, OverheadDefinition, Ranking, Run } from '../report/schema.ts'
import { summarizeProcess } from '../report/watched.ts'
import type { Metric } from '../slo/metrics.ts'
import { counted, formatMs, formatNumber, formatShare } from '../units.ts'
import { type Estimate, estimateAdded } from '../verdict/estimate.ts'
import { findReading } from '../verdict/judge-overhead.ts'
import { bytesFormat, numberFormat } from './column.ts'
import { bracketed, intervalWords, isOpen } from './sentences.ts'
import { columns, type Page, paragraph } from './table.ts'
import { rate } from './throughput-lines.ts'

type Value = number | undefined
type Interval = readonly [number, number | null] | undefined

/** Of one gateway, as every output shows it. */
interface GatewayRow {
  run: Run
  name: string
  /** What is added, where that is known; else the latency. */
  p50: Value
  ci50: Interval
  p99: Value
  ci99: Interval
  rank50: string
  rank99: string
  cpu: Value
  memory: Value
}

export interface Gateways {
  /** Of what P50 and P99 are. */
  of: 'overhead' | 'latency'
  rows: GatewayRow[]
  baseline: Run | undefined
}

/** The gateways of a report in their order, with those that were dropped at the end. */
export function gatewaysOf(report: BenchReport): Gateways {
  const runs = runsOf(report)
  const order = (report.ranking?.gateways ?? []).map(({ name }) => name)
  const place = ({ name }: Run): number => (order.includes(name) ? order.indexOf(name) : order.length)
  const sorted = runs.toSorted((a, b) => place(a) - place(b))
  const of = sorted.every((run) => !isRanked(run) || addedBy(run)) ? 'overhead' : 'latency'
  return { of, rows: sorted.map((run) => rowOf(run, of, report)), baseline: runs[0].baseline }
}

function isRanked({ dropped, totals }: Run): boolean {
  return !dropped && totals.successful > 0
}

/** What means the same behind every gateway; what gateways say of themselves is not laid side by side. */
const COMPARABLE: ReadonlySet<string> = new Set<OverheadDefinition>(['provider-stamped', 'paired'])

/** Undefined where nothing tells it. */
function addedBy(run: Run): Pick<Estimate, 'p50' | 'p99'> | undefined {
  const estimate = estimateAdded(run)
  if (estimate?.kind === 'overhead' && COMPARABLE.has(estimate.judgedBy.definition)) return estimate
  // The difference to an old gateway is no overhead, but its stamps tell one.
  const { p50, p99, ci95 } = findReading(run, 'provider-stamped')?.totalMs ?? {}
  if (p50 === undefined || p99 === undefined) return undefined
  return { p50: { valueMs: p50, ci95Ms: null }, p99: { valueMs: p99, ci95Ms: ci95 ?? null } }
}

function rowOf(run: Run, of: Gateways['of'], report: BenchReport): GatewayRow {
  const process = report.processes?.find(({ name }) => name === run.name)
  const watched = process && summarizeProcess(process)
  const ranked = report.ranking?.gateways.find(({ name }) => name === run.name)
  return {
    ...{ run, name: run.name, ...readingsOf(run, of) },
    ...{ rank50: places(ranked?.rankP50), rank99: places(ranked?.rankP99) },
    cpu: watched && watched.cpuPercent.mean / 100,
    memory: watched?.rssBytes.max,
  }
}

function readingsOf(run: Run, of: Gateways['of']): Pick<GatewayRow, 'p50' | 'ci50' | 'p99' | 'ci99'> {
  if (of === 'latency') {
    const { p50, p99, iid95 } = run.latencyMs ?? {}
    return { p50, ci50: iid95?.p50, p99, ci99: iid95?.p99 }
  }
  const { p50, p99 } = addedBy(run) ?? {}
  return { p50: p50?.valueMs, ci50: p50?.ci95Ms ?? undefined, p99: p99?.valueMs, ci99: p99?.ci95Ms ?? undefined }
}

/** '1', or '1-2' where no proof tells which of two places it has. */
function places([best, worst]: readonly number[] = []): string {
  if (best === undefined) return '-'
  return best === worst ? `${best}` : `${best}-${worst}`
}

export function gatewaysSection(report: BenchReport, page: Page): string {
  const { c, width } = page
  const { of, rows, baseline } = gatewaysOf(report)
  const bounds = ({ p50, p99, ci50, ci99 }: GatewayRow) => [p50, p99, ...(ci50 ?? []), ...(ci99 ?? [])]
  const figure = numberFormat(rows.flatMap(bounds))
  const interval = (ci: Interval): string => (ci && !isOpen(ci) ? c.dim(bracketed(ci, figure)) : '')
  const head = ['', 'P50', '95 %', 'rank', 'P99', '95 %', 'rank']
  const body = rows.map(({ name, p50, ci50, rank50, p99, ci99, rank99 }) => [
    ...[name, figure(p50), interval(ci50), rank50],
    ...[figure(p99), interval(ci99), rank99],
  ])
  const title = of === 'overhead' ? 'Gateway Overhead (ms):' : 'Latency (ms), of gateway and provider together:'
  const below = baseline?.latencyMs
    ? [c.dim(paragraph(`${directWords(baseline)} ${p50p99(baseline.latencyMs)} of latency.`, page, '  '))]
    : []
  return [c.bold(title), columns([dim(head, c), ...body], { width, spare: [2, 5] }), ...below].join('\n')
}

/** What each gateway carried, and what it took. */
export function loadSection(report: BenchReport, { c, width }: Page): string {
  const { rows } = gatewaysOf(report)
  const memory = bytesFormat(rows.map((row) => row.memory))
  const watched = rows.some(({ cpu }) => cpu !== undefined)
  const head = ['', 'requests/s', 'failed', ...(watched ? ['cores', 'memory'] : [])]
  const body = rows.map(({ name, run, cpu, memory: bytes }) => [
    ...[name, rate(run.throughput.requestsPerSec), failedCell(run)],
    ...(watched ? [cpu === undefined ? '-' : formatNumber(cpu, 2), memory(bytes)] : []),
  ])
  return [c.bold('Load:'), columns([dim(head, c), ...body], { width })].join('\n')
}

function directWords({ role }: Run): string {
  return role === 'direct' ? 'Directly:' : 'The baseline:'
}

function p50p99({ p50, p99 }: { p50: number; p99: number }): string {
  return `P50 ${formatMs(p50)}, P99 ${formatMs(p99)} ms`
}

export function failedCell({ totals: { sent, failed } }: Run): string {
  return failed === 0 ? '0' : `${formatNumber(failed)} (${formatShare(failed / Math.max(1, sent))})`
}

function dim(head: readonly string[], c: Page['c']): string[] {
  return head.map((name) => c.dim(name))
}

/** Of streams, in few words: when the first token came, what was added to it and to each later one, and their pace. */
const STREAM_METRICS = [
  ['ttft', 'TTFT'],
  ['addedTtft', '+first'],
  ['addedPerToken', '+token'],
  ['tpot', 'TPOT'],
] as const satisfies readonly (readonly [Metric, string])[]

export function streamsSection(report: BenchReport, page: Page): string {
  const { rows } = gatewaysOf(report)
  const shown = STREAM_METRICS.filter(([metric]) => rows.some(({ run }) => run[`${metric}Ms`]))
  if (!report.target.stream || shown.length === 0) return ''
  const body = rows.map(({ name, run }) => [
    name,
    ...shown.flatMap(([metric]) => {
      const { p50, p99 } = run[`${metric}Ms`] ?? {}
      return [p50, p99].map((value) => (value === undefined ? '-' : formatMs(value)))
    }),
  ])
  const head = ['', ...shown.flatMap(([, name]) => [`${name} P50`, 'P99'])]
  const legend = '+ is what was added to the first token and to each later one'
  const title = `${page.c.bold('Streams (ms):')} ${page.c.dim(legend)}`
  // The pace of tokens goes first: the target makes it.
  const last = head.length - 1
  return [title, columns([dim(head, page.c), ...body], { width: page.width, spare: [last, last - 1] })].join('\n')
}

/** What the differences come to: the neighbours in the order, or with --explain every pair. */
export function differencesSection({ ranking }: BenchReport, page: Page): string {
  if (!ranking || ranking.differences.length === 0) return ''
  const { gateways, differences } = ranking
  const next = new Set(gateways.slice(1).map(({ name }, index) => `${gateways[index]?.name} ${name}`))
  const isNext = ({ lower, higher }: Difference): boolean =>
    next.has(`${lower} ${higher}`) || next.has(`${higher} ${lower}`)
  const shown = differences.filter((one) => page.explain || isNext(one))
  const lines = shown.map((one) => {
    const line = paragraph(differenceSentence(one, differences.length), page, '  ')
    return one.proven ? line : page.c.dim(line)
  })
  return [page.c.bold('Differences:'), ...lines].join('\n')
}

type Difference = Ranking['differences'][number]

/** Of `count` that are judged together: what is likely by itself may not be proven among them. */
export function differenceSentence(
  { quantile, lower, higher, differenceMs, ci95, proven, why }: Difference,
  count: number,
): string {
  const at = quantile.toUpperCase()
  const figure = numberFormat([differenceMs, ...(ci95 ?? [])])
  if (proven) {
    return `${at}: ${higher} is ${figure(differenceMs)} ms${ci95 ? ` ${bracketed(ci95, figure)}` : ''} above ${lower}.`
  }
  if (ci95 && ci95[0] > 0) {
    const among = `not proven among ${counted(count, 'comparison')}: more requests tell`
    return `${at}: ${higher} is likely above ${lower} (${intervalWords(ci95, figure)} ms), and ${among}.`
  }
  const between = ci95 ? ` (${intervalWords(ci95, figure)} ms)` : why === null ? '' : `: ${why}`
  return `${at}: that ${higher} is above ${lower} is not proven${between}.`
}

/** Which gateway adds the least, as far as it is proven. */
export function rankingSentence({ ranking }: BenchReport): string {
  const gateways = ranking?.gateways ?? []
  const [first] = gateways
  if (!ranking || !first) return 'No gateway answered.'
  const has = ranking.of === 'overhead' ? 'adds' : 'takes'
  if (gateways.length === 1) {
    return `${first.name} alone is left: it ${has} ${formatMs(first.p50)} ms at P50 and ${formatMs(first.p99)} at P99.`
  }
  return (['p50', 'p99'] as const).map((quantile) => leastSentence(gateways, quantile, has)).join(' ')
}

function leastSentence(gateways: Ranking['gateways'], quantile: 'p50' | 'p99', has: string): string {
  const figure = numberFormat(gateways.map((one) => one[quantile]))
  const sorted = gateways.toSorted((a, b) => a[quantile] - b[quantile])
  const [least, ...others] = sorted
  const placesAt = quantile === 'p50' ? 'rankP50' : 'rankP99'
  const values = (of: typeof gateways): string => of.map((one) => `${one.name} ${figure(one[quantile])}`).join(', ')
  const at = quantile.toUpperCase()
  if (least?.[placesAt][1] === 1) return `${least.name} ${has} the least at ${at}: ${values(sorted)} ms.`
  const rivals = [least, ...others].filter((one) => one?.[placesAt][0] === 1).flatMap((one) => one ?? [])
  return `Which ${has} the least at ${at} is not proven: ${values(rivals)} ms.`
}

/** Why arms are out of the order. */
export function droppedLines({ arms }: BenchReport): string[] {
  return arms.flatMap(({ name, dropped, totals }) => {
    if (dropped) return [`${name} was dropped after ${formatNumber(dropped.atS, 1)} s: ${dropped.why}.`]
    return totals.successful === 0 ? [`${name} answered none of ${counted(totals.sent, 'request')}.`] : []
  })
}
