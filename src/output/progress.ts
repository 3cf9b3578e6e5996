/** The progress of a run on one line, for a terminal that redraws it and for logs: how far, how long, how it goes. */

import { textWidth } from '../system/text-width.ts'
import { formatDuration, formatMs, formatNumber } from '../units.ts'

export interface ProgressView {
  phase: keyof typeof BESIDE | 'measuring'
  elapsedUs: number
  /** Requests that ended, by arm. */
  doneByArm: readonly number[]
  done: number
  failed: number
  inFlight: number
  heldUs: number
  lastSecond: { done: number; p50Us: number | null; p99Us: number | null } | null
}

/** What a run is to do, over all of its arms. */
export interface Extent {
  requests?: number | undefined
  durationMs?: number | undefined
  arms: readonly string[]
  /** Which level of a sweep it is: 'level 2 of 7, 4 in flight'. */
  level?: string | undefined
  /** What follows at least. */
  afterMs?: number
}

const BAR = 12
const BESIDE = {
  starting: 'starting',
  validating: 'waiting for the validating request',
  'jit-warmup': 'JIT warm-up',
  'warm-up': 'warming up',
  'asking-again': 'asking again where answers differ',
  probing: 'measuring the error and the limit of kt itself',
}
/** A smaller share of a run does not tell how long the rest takes. */
const TELLING = 0.02

/** Of what a run does before or after it sends. */
export function beside(phase: 'starting' | 'probing'): ProgressView {
  return { phase, elapsedUs: 0, doneByArm: [], done: 0, failed: 0, inFlight: 0, heldUs: 0, lastSecond: null }
}

/** `[####        ] 34 %  12 s, 25 s left  gateway 450, direct 448 done  410/s  P50 12.1 ms  P99 20.4 ms` */
export function progressLine(view: ProgressView, extent: Extent, width: number): string {
  const level = extent.level === undefined ? [] : [extent.level]
  if (view.phase !== 'measuring') return fitted([...level, besideLine(view)], width)
  const share = shareOf(view, extent)
  const filled = Math.min(BAR, Math.floor(share * BAR))
  const bar = `[${'#'.repeat(filled)}${' '.repeat(BAR - filled)}] ${formatNumber(share * 100)} %`
  return fitted([...level, bar, times(view, extent), ...figures(view, extent)], width)
}

/** The same without the bar, for output that is not a terminal. */
export function progressLogLine(view: ProgressView, extent: Extent): string {
  const level = extent.level === undefined ? '' : `${extent.level}: `
  if (view.phase !== 'measuring') return level + besideLine(view)
  return `${level}${[`${times(view, extent)}:`, ...figures(view, extent)].join('  ')}`
}

/** What a run does that does not measure yet, or no more. */
export function besideLine({ phase, elapsedUs }: ProgressView): string {
  if (phase === 'measuring') return ''
  const elapsedMs = wholeSeconds(elapsedUs / 1_000)
  return BESIDE[phase] + (elapsedMs > 0 ? `, ${formatDuration(elapsedMs)}` : ' …')
}

/** As many of the parts as fit; the first ones matter most. */
function fitted(parts: readonly string[], width: number): string {
  const [first = ''] = parts
  if (textWidth(first) > width) return first.slice(0, width)
  let line = ''
  for (const part of parts) {
    const longer = line === '' ? part : `${line}  ${part}`
    if (textWidth(longer) > width) break
    line = longer
  }
  return line
}

export function shareOf({ done, elapsedUs }: ProgressView, { requests, durationMs }: Extent): number {
  const byCount = requests ? done / requests : 0
  const byTime = durationMs ? elapsedUs / 1_000 / durationMs : 0
  return Math.min(1, Math.max(byCount, byTime))
}

/** How long it has taken, and what is left. */
export function times(view: ProgressView, extent: Extent): string {
  const elapsedMs = view.elapsedUs / 1_000
  const share = shareOf(view, extent)
  const elapsed = formatDuration(wholeSeconds(elapsedMs))
  if (share < TELLING) return elapsed
  const leftMs = wholeSeconds((elapsedMs * (1 - share)) / share + (extent.afterMs ?? 0))
  // What is over its time waits for its last answers.
  return leftMs === 0 ? `${elapsed}, ending` : `${elapsed}, ${formatDuration(leftMs)} left`
}

function wholeSeconds(ms: number): number {
  return ms < 1_000 ? Math.round(ms / 100) * 100 : Math.round(ms / 1_000) * 1_000
}

function figures(view: ProgressView, extent: Extent): string[] {
  const { failed, heldUs, lastSecond } = view
  const counts = [doneWords(view, extent), ...(failed > 0 ? [`${formatNumber(failed)} failed`] : [])].join(', ')
  if (heldUs > 0) return [counts, `told to wait, ${formatDuration(heldUs / 1_000)} more`]
  if (!lastSecond) return [counts]
  const { p50Us, p99Us } = lastSecond
  return [
    counts,
    `${formatNumber(lastSecond.done)}/s`,
    ...(p50Us === null ? [] : [`P50 ${formatMs(p50Us / 1_000)} ms`]),
    ...(p99Us === null ? [] : [`P99 ${formatMs(p99Us / 1_000)} ms`]),
  ]
}

/** `gateway 450, direct 448 of 1,000 done`; of one arm `450 of 500 done`. */
function doneWords({ done, doneByArm }: ProgressView, { requests, arms }: Extent): string {
  const count = arms.length
  const of = requests === undefined ? '' : ` of ${formatNumber(requests / count)}`
  const counts = arms.map((name, i) => `${name} ${formatNumber(doneByArm[i] ?? 0)}`)
  return `${count < 2 ? formatNumber(done) : counts.join(', ')}${of} done`
}
