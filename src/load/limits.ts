/** What ends a run before its time. */
import type { ArmRecorder } from './recorder.ts'

export type StopReason = 'interrupted' | 'token-budget' | 'target-dead' | 'refused' | 'warm-up-failed' | 'abort-on'

/** The user ended the run, or a condition of the user's did: what is still in flight then is no failure. */
export function endsAtWill(reason: StopReason | undefined): boolean {
  return reason === 'interrupted' || reason === 'abort-on'
}

/** After this many failures without one success the target is considered dead. */
const GIVE_UP_AFTER = 1_000

/** `threads`: those that share the token budget. */
export function limitReached(
  recorders: readonly ArmRecorder[],
  tokenBudget: number | undefined,
  threads: number,
): StopReason | undefined {
  let failed = 0
  let done = 0
  let tokens = 0
  for (const recorder of recorders) {
    failed += recorder.failed
    done += recorder.done
    tokens += recorder.tokensSpent
    if (recorder.failedWarmup.hopeless) return 'warm-up-failed'
  }
  if (failed >= GIVE_UP_AFTER && failed === done) return 'target-dead'
  return tokenBudget !== undefined && tokens >= tokenBudget / threads ? 'token-budget' : undefined
}
