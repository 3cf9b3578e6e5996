/** The progress of a run on one line, for a terminal that redraws it and for logs. */
import { formatDuration, formatMs, formatNumber } from '../units.ts'

interface ProgressView {
  phase: keyof typeof BESIDE | 'measuring'
  elapsedUs: number
  done: number
  failed: number
  inFlight: number
  heldUs: number
  lastSecond: { done: number; p50Us: number | null; p99Us: number | null } | null
}

const BAR = 24
const BESIDE = {
  validating: 'waiting for the validating request',
  'jit-warmup': 'JIT warm-up',
  'warm-up': 'warming up',
  'asking-again': 'asking again where answers differ',
}

/** `[########                ] 34 %  1,234 done, 0 failed  410/s  P50 12.1 ms  P99 20.4 ms` */
export function progressLine(
  view: ProgressView,
  total: number | undefined,
  durationMs: number | undefined,
  width: number,
): string {
  if (view.phase !== 'measuring') return `${BESIDE[view.phase]} …`.slice(0, width)
  const share = total === undefined ? (durationMs ? view.elapsedUs / 1_000 / durationMs : 0) : view.done / total
  const filled = Math.min(BAR, Math.floor(share * BAR))
  const bar = `[${'#'.repeat(filled)}${' '.repeat(BAR - filled)}] ${formatNumber(Math.min(100, share * 100))} %`
  return [bar, ...figures(view)].join('  ').slice(0, width)
}

/** The same without the bar, for output that is not a terminal. */
export function progressLogLine(view: ProgressView, total: number | undefined): string {
  if (view.phase !== 'measuring') return `${BESIDE[view.phase]}, ${formatDuration(view.elapsedUs / 1_000)}`
  const of = total === undefined ? '' : ` of ${formatNumber(total)}`
  return [`${formatDuration(view.elapsedUs / 1_000)}:`, ...figures(view, of)].join('  ')
}

function figures({ done, failed, heldUs, lastSecond }: ProgressView, of = ''): string[] {
  const counts = `${formatNumber(done)}${of} done${failed > 0 ? `, ${formatNumber(failed)} failed` : ''}`
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

/** A line for a measured level of a sweep. */
export function levelLine(level: {
  level: number
  achievedRps: number
  latencyMs: { p99: number } | null
  overheadMs: { p99: number } | null
}): string {
  const latency = level.latencyMs ? `, P99 ${formatMs(level.latencyMs.p99)} ms` : ''
  const added = level.overheadMs ? `, added ${formatMs(level.overheadMs.p99)}` : ''
  return `${formatNumber(level.level)}: ${formatNumber(level.achievedRps)} requests/s${latency}${added}`
}
