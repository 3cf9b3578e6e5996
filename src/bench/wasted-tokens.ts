/**
 * What the provider wrote for clients that had left: tokens that were made, and paid for, and that nobody saw. Only a
 * simulated provider tells: its record of each request is joined by nonce with what kt saw of the answer. Through a
 * gateway that does not cancel its own request when the client leaves, that is the rest of the answer.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { CANCEL_COLUMNS } from '../load/cancellation.ts'
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { type ProviderRecord, readStats, readTruth } from '../overhead/provider-records.ts'
import { buildNonce } from '../wire/nonce.ts'

export interface WastedTokens {
  /** Requests that were left and of which the provider tells. */
  known: number
  /** Of these, the ones whose answer went on for more than a moment: nobody had canceled them. */
  writtenToTheEnd: number
  /** Written by the provider for these requests, and never seen by their clients. */
  tokens: number
  /** The provider was still writing for some of them when kt looked. */
  unfinished: boolean
}

/** Answers that nobody reads go on after the run: kt waits as long for their end. */
const SETTLE_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 100

/** By arm; undefined where nothing was left, or where the provider does not tell. Its address is the last arm's. */
export async function measureWastedTokens(
  plan: RunPlan,
  record: Pick<RunRecord, 'arms'>,
): Promise<(WastedTokens | undefined)[]> {
  const provider = plan.arms.at(-1)
  const left = new Map<string, { arm: number; seen: number }>()
  for (const [arm, { canceled }] of record.arms.entries()) {
    for (let i = 0; i < canceled.rows.length; i += CANCEL_COLUMNS) {
      const nonce = buildNonce(plan.arms[arm]?.tag ?? '', plan.workload.seed, canceled.rows[i] ?? 0)
      left.set(nonce, { arm, seen: canceled.rows[i + 1] ?? 0 })
    }
  }
  if (!provider || left.size === 0) return []
  const sums = plan.arms.map(() => ({ known: 0, writtenToTheEnd: 0, tokens: 0, unfinished: false }))
  try {
    const settled = await settle(provider.origin)
    for await (const truth of readTruth(provider.origin)) {
      const mine = left.get(truth.nonce)
      const wasted = sums[mine?.arm ?? -1]
      if (!mine || !wasted) continue
      // A request that the gateway sent again is the same client's.
      if (truth.attempt === 1) wasted.known++
      if (!truth.aborted) wasted.writtenToTheEnd++
      wasted.tokens += unseenTokens(truth, mine.seen)
      wasted.unfinished ||= !settled
    }
  } catch {
    // As with the delays on the way: a provider that does not tell its record is no fault of the run.
    return []
  }
  return sums.map((wasted) => (wasted.known > 0 ? wasted : undefined))
}

/** Of the first attempt the client has seen `seen` events; of a later one, what it saw is not known. */
function unseenTokens({ attempt, tokens, events = 0 }: ProviderRecord, seen: number): number {
  if (attempt > 1 || events === 0) return tokens
  return Math.round(tokens * (1 - Math.min(seen, events) / events))
}

/** Waits until the provider has nothing in flight; false where it still has after some time. */
async function settle(origin: string): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < SETTLE_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    if ((await readStats(origin)).inFlight === 0) return true
    await wait(LOOK_EVERY_MS)
  }
  return false
}
