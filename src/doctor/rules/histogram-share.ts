/** How much of a report's distribution lies in a band. */
import type { Distribution } from '../../report/schema.ts'
import { Histogram } from '../../stats/histogram.ts'

/** The share above `fromMs` and not above `toMs`. */
export function shareWithin({ histogram, count }: Distribution, fromMs: number, toMs: number): number {
  const decoded = Histogram.decode(histogram)
  return (decoded.countAbove(fromMs * 1_000) - decoded.countAbove(toMs * 1_000)) / count
}
