/**
 * Whether a target that answers with stamps is the simulated provider itself: then what the stamps leave is the floor of the
 * instrument, and no gateway's overhead. Its control path answers only directly; a gateway passes on the API alone.
 */
import { readStats } from './truth.ts'

const WITHIN_MS = 1_000

export function isProviderItself(origin: string): Promise<boolean> {
  return readStats(origin, WITHIN_MS).then(
    () => true,
    () => false,
  )
}
