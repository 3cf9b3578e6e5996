/**
 * The way to the provider and the way back, apart: kt's own instants joined, by nonce, with the provider's record of when it had a
 * request and when it had written its answer. Both read the same monotonic clock only on one host, so that is checked, not
 * assumed: a request that came before it was sent makes the whole join void. Shown, never judged: their sum is the overhead.
 */

import type { RunRecord } from '../load/messages.ts'
import type { RunPlan } from '../load/plan.ts'
import { readTruth } from '../overhead/truth.ts'
import { Histogram } from '../stats/histogram.ts'
import { nonceOf } from '../wire/nonce.ts'

export interface Legs {
  /** From sent to the request's last byte at the provider. */
  request: Histogram
  /** From the provider's last write to the end of the answer. */
  response: Histogram
}

const COLUMNS = 3
/** The clocks of two threads agree within microseconds. */
const CLOCK_US = 100

interface Instants {
  sentUs: number
  endUs: number
}

/** By arm, where there is a provider on this host to be asked; its address is the last arm's. */
export async function legsOf(plan: RunPlan, record: RunRecord, stamping: boolean): Promise<(Legs | undefined)[]> {
  const provider = plan.arms.at(-1)
  if (!stamping || !provider) return []
  const known = new Map<string, { arm: number; at: Instants }>()
  for (const [arm, rows] of record.timed.entries()) {
    for (let i = 0; i + COLUMNS <= rows.length; i += COLUMNS) {
      const nonce = nonceOf(plan.arms[arm]?.tag ?? '', plan.workload.seed, rows[i] ?? 0)
      known.set(nonce, { arm, at: { sentUs: rows[i + 1] ?? Number.NaN, endUs: rows[i + 2] ?? Number.NaN } })
    }
  }
  const legs = plan.arms.map((): Legs => ({ request: new Histogram(), response: new Histogram() }))
  try {
    for await (const truth of readTruth(provider.origin)) {
      const mine = known.get(truth.nonce)
      const joined = legs[mine?.arm ?? -1]
      if (!mine || !joined || truth.attempt !== 1 || truth.lastWriteUs === null) continue
      const { sentUs, endUs } = mine.at
      const there = truth.receivedUs - sentUs
      const back = endUs - truth.lastWriteUs
      if (Number.isNaN(there) || Number.isNaN(back)) continue
      // Another clock: the provider is not on this host.
      if (there < -CLOCK_US || back < -CLOCK_US || there > endUs - sentUs + CLOCK_US) return []
      joined.request.record(Math.max(0, there))
      joined.response.record(Math.max(0, back))
    }
  } catch {
    // Shown beside the measurement where it can be had; without it nothing is wrong.
    return []
  }
  return legs.map((joined) => (joined.request.count > 0 ? joined : undefined))
}
