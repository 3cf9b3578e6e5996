/** The single figures of the table of metrics, as they are read from a report. */
import type { Run } from '../report/schema.ts'
import type { FigureMetric } from '../slo/metrics.ts'
import { goodputOf } from './goodput.ts'

/** Null where the run has none. */
export const FIGURE_READINGS: Readonly<Record<FigureMetric, (report: Run) => number | null>> = {
  'errors.rate': ({ totals }) => (totals.sent === 0 ? null : totals.failed / totals.sent),
  'answers.changed': ({ agreement }) =>
    agreement && agreement.changed !== null ? agreement.changed / agreement.compared : null,
  goodput: (report) => goodputOf(report)?.share ?? null,
  'throughput.rps': ({ throughput }) => throughput.requestsPerSec,
  'throughput.tokens': ({ throughput }) => throughput.tokensPerSec,
}
