/** How the interval of a figure closes on its limit, block by block, and when a verdict is to be expected. */
import type { ChalkInstance } from 'chalk'
import type { Verdict } from '../report/schema.ts'
import { counted, formatDuration, formatLimit, formatMs, formatShare } from '../units.ts'
import type { LiveMargin } from '../verdict/live.ts'
import { axis, intervalBar, type Scale } from './spark.ts'

export interface Closing {
  /** The margin that the run is about, after one block and another; the newest last. */
  closing: readonly LiveMargin[]
  /** Of each arm, in the whole run. */
  blocks: number
  /** How long a block of each arm takes; undefined before there is one. */
  blockMs: number | undefined
  /** The interim analyses at which the run may end. */
  analyses: readonly number[]
}

type ClosingNow = Closing & { elapsedMs: number; arms: number }

/** Beside the bars: title, axis and verdict. */
const AROUND = 3
/** A scale that reaches further than so many limits shows nothing of what lies around the limit. */
const MOST_LIMITS = 4

/** At most `height` lines, one for each of the newest blocks. */
export function closingLines(view: ClosingNow, width: number, height: number, c: ChalkInstance): string[] {
  const { closing, arms } = view
  const newest = closing.at(-1)
  if (!newest) return []
  const latest = closing.slice(-Math.max(1, height - AROUND))
  const { limit, unit } = newest
  const each = arms > 1 ? 'pair' : 'block'
  const rows = latest.map((margin) => {
    const { blocks, value, low, high } = margin
    const interval = `[${shown(low, unit)}, ${shown(high, unit)}]`
    const figure = (value === null ? '–' : shown(value, unit)).padStart(7)
    return { text: `${each} ${blocks}`.padEnd(9) + figure + ` ${interval}`.padEnd(19), margin }
  })
  const text = Math.max(...rows.map((row) => row.text.length))
  const scale = { ...scaleOf(latest), width: Math.max(1, width - text) }
  const against = limit === null ? '' : `, against ${limitWords(limit, unit)}`
  const marks = [
    ...(limit === null ? [] : [{ at: limit, text: limitWords(limit, unit) }]),
    { at: scale.from, text: scale.from === 0 ? '0' : shown(scale.from, unit) },
    { at: scale.to, text: shown(scale.to, unit) },
  ]
  return [
    c.bold(`${newest.metric}${unit === 'ms' ? ', ms' : ''}${against}`) +
      c.dim(`  ${newest.source}, 95 % interval after each ${each}`),
    ...rows.map((row) => row.text + painted(row.margin.verdict, c)(intervalBar(row.margin, limit, scale))),
    ' '.repeat(text) + c.dim(axis(marks, scale)),
    verdictLine(newest, view, c),
  ]
}

function shown(figure: number, unit: LiveMargin['unit']): string {
  if (!Number.isFinite(figure)) return '?'
  return unit === 'ms' ? formatMs(figure) : formatShare(figure)
}

function limitWords(limit: number, unit: LiveMargin['unit']): string {
  return unit === 'ms' ? formatLimit(limit) : formatShare(limit)
}

function scaleOf(latest: readonly LiveMargin[]): Pick<Scale, 'from' | 'to'> {
  const ends = latest.flatMap(({ low, high, value }) => [low, high, value ?? 0]).filter(Number.isFinite)
  const limit = latest.at(-1)?.limit ?? null
  const reach = Math.max(...ends) * 1.05 || 1
  const to = limit === null ? reach : Math.min(MOST_LIMITS * limit, Math.max(1.5 * limit, reach))
  return { from: Math.max(-to / 2, Math.min(0, ...ends)), to }
}

const COLORS = { pass: 'green', fail: 'red', inconclusive: 'yellow' } as const

function painted(verdict: Verdict, c: ChalkInstance): ChalkInstance {
  return c[COLORS[verdict]]
}

function verdictLine(margin: LiveMargin, view: ClosingNow, c: ChalkInstance): string {
  const { limit, verdict, why } = margin
  if (limit === null) return c.dim('no limit was given: nothing is judged')
  if (verdict === 'inconclusive') return `${c.yellow('no verdict yet')}: ${expected(margin, view)}`
  return `${painted(verdict, c).bold(verdict.toUpperCase())} by now: ${why}`
}

/** When it is to be decided, where the blocks to come are like those so far. */
function expected({ later, requestsNeeded, why }: LiveMargin, view: ClosingNow): string {
  const { blocks, blockMs, analyses, elapsedMs, arms } = view
  if (!later) {
    if (requestsNeeded === undefined) return `not in this run: ${why}`
    return `not in this run, but in about ${counted(requestsNeeded, 'request')}${arms > 1 ? ' on each arm' : ''}`
  }
  const at = analyses.find((after) => after >= later.blocks) ?? (analyses.length > 0 ? blocks : later.blocks)
  const leftMs = blockMs === undefined ? undefined : at * blockMs - elapsedMs
  const time =
    leftMs === undefined ? '' : leftMs < 1_000 ? ', any moment' : `, in about ${formatDuration(seconds(leftMs))}`
  const place = `after ${arms > 1 ? 'pair' : 'block'} ${at} of ${blocks}`
  return `${later.verdict.toUpperCase()} ${place}${time}, if it stays so`
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000) * 1_000
}

/** A limit beside the first one, on one line. */
export function marginLine({ metric, unit, limit, value, low, high, verdict, later }: LiveMargin, c: ChalkInstance) {
  const interval = `[${shown(low, unit)}, ${shown(high, unit)}]`
  const against = limit === null ? '' : ` against ${limitWords(limit, unit)}`
  const soon = later && verdict === 'inconclusive' ? `, ${later.verdict.toUpperCase()} after ${later.blocks}` : ''
  const word = verdict === 'inconclusive' ? 'no verdict yet' : verdict.toUpperCase()
  const figure = value === null ? '–' : shown(value, unit)
  return `${metric}  ${figure} ${interval}${against}: ${painted(verdict, c)(word)}${soon}`
}
