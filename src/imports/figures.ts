/** The figures of a result of another tool, in kt's words. */
import type { Metric } from '../slo/metrics.ts'

type Quantiles = Partial<Record<'p50' | 'p90' | 'p95' | 'p99', number>>

/** Milliseconds. */
export type Durations = Partial<Record<Metric, Quantiles>>

export interface ForeignFigures {
  startedAt?: string | undefined
  /** Sent, as far as the tool tells. */
  requests: number
  failed: number
  /** Answered requests a second. */
  perSecond: number | null
  durations: Durations
}
