/**
 * The gate of a run whose fleet was not whole: a worker that was lost, stood still or came late did not send its share
 * when it was due, so that the target had another load than the one that was asked for. Nothing is decided then.
 */
import type { BenchReport, Gate } from '../report/schema.ts'
import { toGate, undecidedCheck } from './checks.ts'

export function withFleet({ fleet, gate }: Pick<BenchReport, 'fleet' | 'gate'>): Gate | null {
  if (!fleet || fleet.faults.length === 0) return gate
  const why = fleet.faults.join('; ')
  const others = gate?.checks.map((check) => ({ ...check, verdict: 'inconclusive' as const, why })) ?? []
  return toGate([undecidedCheck('fleet', '>=', fleet.workers.length, why), ...others])
}
