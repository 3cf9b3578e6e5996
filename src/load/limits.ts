/** What ends a run before its time. */
import type { RunPlan, TokenPrice } from './plan.ts'
import type { ArmRecorder } from './recorder.ts'

export type StopReason =
  | 'interrupted'
  | 'token-budget'
  | 'cost-budget'
  | 'target-dead'
  | 'refused'
  | 'warm-up-failed'
  | 'abort-on'
  /** One of several senders was lost: what the others still had in flight is no failure of the target. */
  | 'sender-lost'

/** The user ended the run, a condition of the user's did, or kt itself: what is still in flight is no failure. */
export function endsAtWill(reason: StopReason | undefined): boolean {
  return reason === 'interrupted' || reason === 'abort-on' || reason === 'sender-lost'
}

/** After this many failures without one success the target is considered dead. */
const GIVE_UP_AFTER = 1_000

/** `threads`: those that share the budgets. */
export function limitReached(
  recorders: readonly ArmRecorder[],
  { tokenBudget, costBudget, outlivesArms }: Pick<RunPlan, 'tokenBudget' | 'costBudget' | 'outlivesArms'>,
  threads: number,
): StopReason | undefined {
  let failed = 0
  let done = 0
  let input = 0
  let output = 0
  for (const recorder of recorders) {
    failed += recorder.failed
    done += recorder.done
    input += recorder.tokensSpent.input
    output += recorder.tokensSpent.output
    if (recorder.failedWarmup.hopeless && !outlivesArms) return 'warm-up-failed'
  }
  if (failed >= GIVE_UP_AFTER && failed === done) return 'target-dead'
  if (tokenBudget !== undefined && input + output >= tokenBudget / threads) return 'token-budget'
  return costBudget && costOf(costBudget, input, output) >= costBudget.usd / threads ? 'cost-budget' : undefined
}

/** In US dollars. */
export function costOf({ inputUsd, outputUsd }: TokenPrice, input: number, output: number): number {
  return (input * inputUsd + output * outputUsd) / 1e6
}
