/**
 * The live view of a run as lines for a screen: how far it is, the rate, what failed, the latency of each arm over
 * time, and the interval of the overhead as it closes on its limit. What matters most comes first; a low screen gets
 * less history.
 */
import type { ChalkInstance } from 'chalk'
import { breakText, textWidth } from '../system/text-width.ts'
import { formatDuration, formatMs, formatNumber } from '../units.ts'
import type { LiveMargin } from '../verdict/live.ts'
import { type Closing, closingLines, marginLine } from './live-margins.ts'
import { besideLine, type Extent, type ProgressView, shareOf, times } from './progress.ts'
import { bars, type Cell, fitCells, scaleTop } from './spark.ts'

interface Quantiles {
  p50Us: number | null
  p99Us: number | null
}

export interface LiveView extends Closing {
  /** What was asked for: requests a second, or requests in flight. */
  asked: { mode: 'open' | 'closed'; level: number }
  /** Open loop: requests a second, as they left; undefined before that is known. */
  keptRate: number | undefined
  seconds: readonly ({ second: number; sent: number; done: number; byArm: readonly Quantiles[] } & Quantiles)[]
  /** By arm, failed requests by class. */
  failures: readonly Readonly<Partial<Record<string, number>>>[]
  /** All margins by now. */
  margins: readonly LiveMargin[]
}

export interface Size {
  width: number
  height: number
}

/** Lines of the interval with its title, and as much history as a low screen has room for. */
const FEWEST_CLOSING = 6
/** The least that it takes. */
export const SMALLEST: Size = { width: 60, height: 16 }

/** Lines of a whole screen, none wider than it. `notes` are the last lines that were told of the run. */
export function liveLines(
  view: LiveView,
  progress: ProgressView,
  extent: Extent,
  { width, height }: Size,
  c: ChalkInstance,
  notes: readonly string[] = [],
): string[] {
  const head = [...headLines(progress, extent, width, c), '', rateLine(view, progress), failureLine(view, extent), '']
  const others = view.margins.slice(1, 1 + Math.max(0, Math.floor((height - 18) / 3)))
  const tail = others.map((margin) => marginLine(margin, c))
  const closes = view.closing.length > 0
  const fewestNotes = notes.length > 0 ? 1 : 0
  // Two arms have an interval soon: nothing else moves when it comes.
  const reserved = fewestNotes + (closes || extent.arms.length > 1 ? FEWEST_CLOSING + 1 : 0)
  const rows = 2 * Math.max(1, extent.arms.length)
  const barRows = Math.max(1, Math.min(4, Math.floor((height - head.length - tail.length - reserved - 1) / rows)))
  const latency = latencyLines(view, extent, width, barRows, c)
  const left = height - head.length - latency.length - tail.length - fewestNotes - 1
  const now = { ...view, elapsedMs: progress.elapsedUs / 1_000, arms: extent.arms.length }
  const closing = left >= FEWEST_CLOSING && closes ? ['', ...closingLines(now, width, left, c)] : []
  const lines = [...head, ...latency, ...closing, ...tail]
  const last = notes.slice(-Math.max(1, height - lines.length)).map((note) => c.dim(note))
  return [...lines, ...last].slice(0, height).map((line) => clipped(line, width))
}

function headLines(progress: ProgressView, extent: Extent, width: number, c: ChalkInstance): string[] {
  const waiting = progress.phase === 'measuring' ? undefined : besideLine(progress)
  const title = [extent.level, extent.arms.length > 2 ? extent.arms.join(', ') : extent.arms.join(' and ')]
  const left = title.filter((part) => part !== undefined).join('  ')
  const right = waiting ?? times(progress, extent)
  const share = waiting === undefined ? shareOf(progress, extent) : 0
  const percent = ` ${formatNumber(share * 100).padStart(3)} %`
  const room = width - percent.length
  const filled = Math.floor(share * room)
  return [
    c.bold(left) + right.padStart(Math.max(1, width - textWidth(left))),
    c.cyan('█'.repeat(filled)) + c.dim('░'.repeat(room - filled)) + percent,
  ]
}

/** Of the last seconds: a single one is a matter of chance. */
const RECENT = 10

function rateLine({ asked, keptRate, seconds }: LiveView, { done, inFlight, heldUs }: ProgressView): string {
  const parts = [asked.mode === 'open' ? `${rated(asked.level)}/s asked` : `${rated(asked.level)} in flight asked`]
  if (keptRate !== undefined) parts.push(`${rated(keptRate)}/s kept`)
  parts.push(`${formatNumber(inFlight)} in flight`)
  const recent = seconds.slice(-RECENT)
  const answered = recent.reduce((sum, second) => sum + second.done, 0) / Math.max(1, recent.length)
  if (asked.mode === 'closed' && recent.length > 0) parts.push(`${rated(answered)}/s answered`)
  parts.push(`${formatNumber(done)} done`)
  if (heldUs > 0) parts.push(`told to wait, ${formatDuration(heldUs / 1_000)} more`)
  return `load     ${parts.join('   ')}`
}

function rated(rate: number): string {
  return formatNumber(rate, rate < 1_000 && rate % 1 !== 0 ? 1 : 0)
}

function failureLine({ failures }: LiveView, { arms }: Extent): string {
  const parts = failures.flatMap((classes, arm) => {
    const counts = Object.entries(classes).map(([name, count = 0]) => `${name} ${formatNumber(count)}`)
    return counts.length === 0 ? [] : [`${arms.length > 1 ? `${arms[arm]}: ` : ''}${counts.join(', ')}`]
  })
  return `failed   ${parts.length === 0 ? 'none' : parts.join('   ')}`
}

interface Row {
  label: string
  of: 'p50' | 'p99'
  now: Cell
  cells: Cell[]
}

/** Both arms on one scale for each quantile, so that they can be compared. */
function latencyLines(
  { seconds }: LiveView,
  { arms }: Extent,
  width: number,
  barRows: number,
  c: ChalkInstance,
): string[] {
  const name = Math.max(8, ...arms.map((arm) => textWidth(arm) + 1))
  const room = Math.max(1, width - name - 14)
  const rows = (arms.length === 0 ? [''] : arms).flatMap((arm, index) => {
    return (['p50', 'p99'] as const).map((of) => {
      const values = seconds.map(({ byArm }) => toMs(byArm[index]?.[`${of}Us`]))
      const { cells, each } = fitCells(values, room, of === 'p50' ? median : most)
      return {
        label: of === 'p50' ? arm : '',
        of,
        now: values.findLast((value) => value !== null) ?? null,
        cells,
        each,
      }
    })
  })
  const each = rows[0]?.each ?? 1
  const tops = { p50: topOf(rows, 'p50'), p99: topOf(rows, 'p99') }
  const scale = (['p50', 'p99'] as const).map((of) => `${of.toUpperCase()} to ${formatMs(tops[of])}`).join(', ')
  const cell = `a column is ${formatDuration(each * 1_000)}`
  const title = `latency, ms`.padEnd(name + 14)
  return [
    c.bold(title) + c.dim(seconds.length === 0 ? 'nothing yet' : `${cell}; full height ${scale}`),
    ...rows.flatMap(({ label, of, now, cells }) => {
      const lines = bars(cells, tops[of], barRows)
      return lines.map((line, i) => {
        const last = i === lines.length - 1
        const figure = last ? `${of.toUpperCase()} ${(now === null ? '–' : formatMs(now)).padStart(7)}` : ''
        return padded(last ? label : '', name) + figure.padEnd(14) + (of === 'p50' ? c.cyan(line) : c.yellow(line))
      })
    }),
  ]
}

function padded(label: string, width: number): string {
  return label + ' '.repeat(Math.max(0, width - textWidth(label)))
}

function topOf(rows: readonly Row[], of: 'p50' | 'p99'): number {
  return scaleTop(rows.flatMap((row) => (row.of === of ? row.cells : [])))
}

function toMs(us: number | null | undefined): Cell {
  return us === null || us === undefined ? null : us / 1_000
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function most(values: readonly number[]): number {
  return Math.max(...values)
}

function clipped(line: string, width: number): string {
  if (textWidth(line) <= width) return line
  const [whole = ''] = breakText(line, width, { wordWrap: false, trim: false })
  return whole
}
