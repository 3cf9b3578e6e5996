/**
 * How each duration of the table of metrics is read from a request, in microseconds; NaN where the request has none.
 * The one place that knows it: a metric of the table without a reading does not compile.
 */
import type { RequestResult } from '../client/request-result.ts'
import {
  type GapMetric,
  isBlockMetric,
  isGapMetric,
  isStampMetric,
  METRIC_NAMES,
  METRICS,
  type RequestMetric,
} from '../slo/metrics.ts'
import { isInLatencyTail } from '../wire/outcome.ts'

type ReadRequest = (result: RequestResult, intendedUs: number) => number

/** One sample of a request that has ended. */
export const READINGS: Readonly<Record<RequestMetric, ReadRequest>> = {
  latency: ({ endUs }, intendedUs) => endUs - intendedUs,
  service: ({ endUs, sentUs }) => endUs - sentUs,
  connect: ({ connectUs }) => connectUs,
  ttfb: ({ firstByteUs, sentUs }) => firstByteUs - sentUs,
  ttft: ({ firstTokenUs, sentUs }) => firstTokenUs - sentUs,
  ttftFromIntended: ({ firstTokenUs }, intendedUs) => firstTokenUs - intendedUs,
  tpot: ({ tpotUs }) => tpotUs,
}

/** One sample of a gap between two token-bearing events. */
const GAP_READINGS: Readonly<Record<GapMetric, (gapUs: number) => number>> = {
  interToken: (gapUs) => gapUs,
}

/** Which requests give a sample. */
const COUNTS: Record<(typeof METRICS)[RequestMetric]['sampleOf'], (result: RequestResult) => boolean> = {
  ended: () => true,
  timed: ({ outcome }) => isInLatencyTail(outcome),
  answered: ({ outcome }) => outcome === 'OK',
  stream: ({ outcome, streamed }) => outcome === 'OK' && streamed,
}

interface RequestSample<M extends RequestMetric> {
  metric: M
  counts: (result: RequestResult) => boolean
  read: ReadRequest
}

export function sampleOf<M extends RequestMetric>(metric: M): RequestSample<M> {
  return { metric, counts: COUNTS[METRICS[metric].sampleOf], read: READINGS[metric] }
}

/** The readings as lists, which cost a request no look-up: of the metrics by block, and of the others. */
export const BLOCK_SAMPLES = METRIC_NAMES.flatMap((metric) =>
  isBlockMetric(metric) && !isGapMetric(metric) && !isStampMetric(metric) ? [sampleOf(metric)] : [],
)
export const RUN_SAMPLES = METRIC_NAMES.flatMap((metric) =>
  isBlockMetric(metric) || isGapMetric(metric) ? [] : [sampleOf(metric)],
)
export const GAP_SAMPLES = METRIC_NAMES.flatMap((metric) =>
  isGapMetric(metric) ? [{ metric, read: GAP_READINGS[metric] }] : [],
)
