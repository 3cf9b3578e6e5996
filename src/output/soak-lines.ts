/** What a long run says of growth, in a sentence for each process and each arm. */
import type { Run } from '../report/schema.ts'
import type { SoakTrend } from '../report/soak-schema.ts'
import { formatDuration, formatMs, formatShare } from '../units.ts'
import { SHORTEST_S } from '../verdict/soak.ts'
import type { WatchLine } from './watch-lines.ts'

export const SOAK_VERDICTS: Readonly<Record<SoakTrend['verdict'], string>> = {
  grows: 'GROWS',
  falls: 'FALLS',
  steady: 'STEADY',
  'cannot-tell': 'CANNOT TELL',
}

/** Of a short run only where memory was watched, which is what a reader would ask for. */
export function soakLines({ soak, processes = [] }: Pick<Run, 'soak' | 'processes'>): WatchLine[] {
  if (soak) {
    return soak.trends.map((trend) => ({ name: 'Soak', text: soakSentence(trend), warn: trend.verdict === 'grows' }))
  }
  return processes.length === 0 ? [] : [{ name: 'Soak', text: tooShort(), warn: false }]
}

function tooShort(): string {
  return `too short to tell whether memory or latency grows: a run of ${formatDuration(SHORTEST_S * 1_000)} tells`
}

/** 'memory of gateway: GROWS, +12.1 MiB an hour [+11.2, +13.0], +9.4 %; 128 to 146 MiB in 1.5 h'. */
function soakSentence(trend: SoakTrend): string {
  const { line, perHour, perHour99, perHourShare, verdict, why } = trend
  const what = `${soakSubject(trend)}: ${SOAK_VERDICTS[verdict]}`
  const because = why === null ? '' : ` (${why})`
  if (!line || perHour === null) return what + because
  const unit = soakUnit(trend)
  const share = perHourShare === null ? '' : `, ${signed(perHourShare, formatShare)}`
  const interval = perHour99 ? ` [${perHour99.map((value) => signed(value, formatMs)).join(', ')}]` : ''
  return (
    `${what}${because}, ${signed(perHour, formatMs)} ${unit} an hour${interval}${share}; ` +
    `${formatMs(line.from)} to ${formatMs(line.to)} ${unit} in ${formatDuration((line.toS - line.fromS) * 1_000)}`
  )
}

export function soakSubject({ of, name }: SoakTrend): string {
  return of === 'memory' ? `memory of ${name}` : `${of.toUpperCase()} of ${name}`
}

export function soakUnit({ of }: SoakTrend): string {
  return of === 'memory' ? 'MiB' : 'ms'
}

/** A slope says its direction. */
export function signed(value: number, format: (value: number) => string): string {
  return value > 0 ? `+${format(value)}` : format(value)
}
