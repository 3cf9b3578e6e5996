/** The replay of a trace in words: what was asked for, and how faithfully it was sent. */
import type { Replay, Run } from '../report/schema.ts'
import { counted, formatCount, formatDuration, formatMs, formatNumber } from '../units.ts'

/** Later than this at P99, a replay is not the load that was recorded. */
const LATE_MS = 5

/** `replay of trace.csv at 60 times its speed, 534.1 requests/s on average`, for the words of a load. */
export function replayParts({ trace, format, speed, share, fromS, toS }: Replay, rps: number | null): string[] {
  const at = (seconds: number): string => formatDuration(seconds * 1_000)
  const window =
    fromS === undefined && toS === undefined
      ? ''
      : ` from ${at(fromS ?? 0)}${toS === undefined ? '' : ` to ${at(toS)}`}`
  return [
    `replay of ${trace} (${format})${window}`,
    ...(speed === 1 ? [] : [`at ${formatNumber(speed, 2)} times its speed`]),
    ...(share === undefined ? [] : [`${formatNumber(share * 100, 1)} % of its requests`]),
    ...(rps === null ? [] : [`${formatNumber(rps, rps < 10 ? 2 : 0)} requests/s on average`]),
  ]
}

/** A line for each arm, the primary one alone where not everything is asked for; none without a trace. */
export function fidelityLines({ replay }: Pick<Run, 'replay'>, all: boolean): { text: string; warn: boolean }[] {
  if (!replay) return []
  const several = all && replay.arms.length > 1
  return replay.arms.slice(0, all ? undefined : 1).map(({ name, lateMs, gapsKs, inputTokens, outputTokens }) => {
    const late = lateMs ? `sent at most ${formatMs(lateMs.max)} ms late (P99 ${formatMs(lateMs.p99)})` : 'nothing sent'
    const gaps = gapsKs === null ? '' : `, gaps KS ${formatNumber(gapsKs, 3)}`
    const tokens = [inputTokens, outputTokens].map(({ asked, counted: told }) => {
      return `${formatCount(asked)} asked and ${formatCount(told)} counted`
    })
    const left = replay.failedLeftOut
      ? `; ${counted(replay.failedLeftOut, 'failed request')} of the trace left out`
      : ''
    return {
      text: `${several ? `${name}: ` : ''}${late}${gaps}; input tokens ${tokens[0]}, output ${tokens[1]}${left}`,
      warn: (lateMs?.p99 ?? 0) > LATE_MS,
    }
  })
}
