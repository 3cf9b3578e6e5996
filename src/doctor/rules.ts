/**
 * The rules, in the order in which they are printed. First the performance guide's six anti-patterns: the five of its
 * table, and starting cold, which its text calls for warming up against. Then what its text advises beside them, then
 * faults that gateways were found to have.
 */
import type { DoctorRule } from './rule.ts'
import { smallBody } from './rules/body-size.ts'
import { fakeStreaming } from './rules/buffering.ts'
import { cacheDisabled, sharedCache } from './rules/cache.ts'
import {
  disconnectIgnored,
  http1Upstream,
  newConnectionPerRequest,
  noKeepAlive,
  noWarmUp,
} from './rules/connections.ts'
import { delayedAck } from './rules/delayed-ack.ts'
import { synchronousEvents } from './rules/events.ts'
import { fixedTimer } from './rules/fixed-timer.ts'
import { heldTokens } from './rules/held-tokens.ts'
import { unboundedPolicy } from './rules/policies.ts'
import { noisyInstrument, serverTimingUnit } from './rules/signals.ts'
import { lostEvents, mergedEvents, missingDone, missingUsage } from './rules/stream-content.ts'

export const RULES: readonly DoctorRule[] = [
  newConnectionPerRequest,
  synchronousEvents,
  unboundedPolicy,
  noKeepAlive,
  cacheDisabled,
  noWarmUp,
  http1Upstream,
  fakeStreaming,
  fixedTimer,
  delayedAck,
  heldTokens,
  lostEvents,
  mergedEvents,
  missingUsage,
  missingDone,
  disconnectIgnored,
  sharedCache,
  smallBody,
  serverTimingUnit,
  noisyInstrument,
]
