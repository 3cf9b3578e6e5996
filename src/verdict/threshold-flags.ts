/** Turns --threshold flags, and the limit of --max-regression, into what can be judged; refuses the rest with what exists. */
import { UserError } from '../errors.ts'
import { didYouMean } from '../parse/did-you-mean.ts'
import { KNOWN_METRICS, METRICS_IN_WORDS } from '../slo/metrics.ts'
import { isMalformed, type Malformed, parseThreshold, type Threshold } from '../slo/threshold.ts'
import { parseDurationMs } from '../units.ts'

export function parseThresholds(texts: readonly string[], flag = '--threshold'): Threshold[] {
  const parsed = texts.map(parseThreshold)
  const wrong = parsed.filter(isMalformed)
  if (wrong.length === 0) return parsed.filter((threshold): threshold is Threshold => !isMalformed(threshold))
  const lines = wrong.map((malformed) => `${flag} '${malformed.text}': ${malformed.problem}${near(malformed)}`)
  const unknown = wrong.some((malformed) => malformed.unknown !== undefined)
  throw new UserError(
    lines.join('\n    '),
    unknown
      ? `Metrics there are:\n  ${METRICS_IN_WORDS.join('\n  ')}`
      : "Write metric, < or >, limit: 'overhead.p99<7ms', 'errors.rate<0.1%'.",
  )
}

function near({ unknown }: Malformed): string {
  const known = unknown === undefined ? undefined : didYouMean(unknown, KNOWN_METRICS)
  return known === undefined ? '' : ` (did you mean '${known}'?)`
}

/** How much worse than the old gateway the new one may be: the larger of the two. */
export interface RegressionLimit {
  ms: number
  share: number
}

/** '10%', '0.5ms' or both, '0.5ms,10%'. */
export function parseMaxRegression(text: string): RegressionLimit {
  const limit: RegressionLimit = { ms: 0, share: 0 }
  for (const part of text.split(',').map((piece) => piece.trim())) {
    const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(part)?.[1]
    const ms = parseDurationMs(part)
    if (percent !== undefined) limit.share = Number(percent) / 100
    else if (ms !== undefined) limit.ms = ms
    else {
      throw new UserError(
        `--max-regression: '${part}' is neither a duration nor a share`,
        "Give '0.5ms', '10%', or '0.5ms,10%' for the larger of both.",
      )
    }
  }
  if (limit.ms <= 0 && limit.share <= 0) {
    throw new UserError(
      '--max-regression: must be above 0',
      'No number of requests can prove that nothing changed at all.',
    )
  }
  return limit
}
