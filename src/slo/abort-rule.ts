/**
 * The conditions of --abort-on, in the grammar of thresholds the other way round: 'errors.rate>20%' ends a run that a
 * threshold 'errors.rate<20%' would fail. Only what each request tells by itself is known while a run goes on: whether
 * it failed, and its durations. So each condition is one on a share of requests: P99 is above a limit where more than
 * 1 % of them are.
 */
import { failure, type Result, success } from '../errors.ts'
import { isRequestMetric, METRIC_NAMES, METRICS, type RequestMetric } from './metrics.ts'
import { parseThreshold, type Threshold, type ThresholdFailure } from './threshold.ts'

export interface AbortRule {
  text: string
  /** As a threshold that the run does not keep. */
  metric: string
  op: Threshold['op']
  limit: number
  /** Which requests count against the run: those that failed, or those over a duration. */
  of: 'errors' | { metric: RequestMetric; overUs: number }
  /** The run ends where more requests than this share do. */
  share: number
}

/** The metrics that conditions may name. */
export const ABORT_METRICS: readonly string[] = [
  'errors.rate',
  ...METRIC_NAMES.filter((name) => METRICS[name].threshold && isRequestMetric(name)).map((name) => `${name}.p99`),
]

export function parseAbortRule(text: string): Result<AbortRule, ThresholdFailure> {
  const parsed = parseThreshold(reversed(text))
  if (!parsed.ok) {
    // What is a good threshold would end the run that goes well.
    return parseThreshold(text).ok ? failure(`write when to end the run: '${reversed(text)}'`) : parsed
  }
  const { value } = parsed
  const { metric, op } = value
  const common = { text: text.trim(), metric, op }
  if (value.kind === 'figure' && value.of === 'errors.rate') {
    return success({ ...common, limit: value.limit, of: 'errors', share: value.limit })
  }
  if (value.kind === 'quantile' && value.of !== 'overhead' && isRequestMetric(value.of)) {
    const { of, limitUs, quantile } = value
    const share = Number((1 - quantile).toFixed(9))
    return success({ ...common, limit: limitUs / 1_000, of: { metric: of, overUs: limitUs }, share })
  }
  return failure(`${metric} is not known while a run goes on: give one of ${ABORT_METRICS.join(', ')}`)
}

function reversed(text: string): string {
  return text.replace(/[<>]/, (op) => (op === '<' ? '>' : '<'))
}
