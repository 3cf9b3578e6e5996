/**
 * How many requests of a block the machine may have held up: those that were sent or in flight in the windows in which
 * kt or a target waited for a core. Nobody knows which requests these were, so a FAIL may not count any of them
 * (gate.ts).
 */
export interface Starved {
  spanMs: number
  /** Time in starved windows, and how many runs of such windows there were. */
  starvedMs: number
  starvedSpells: number
}

/** `inFlight`: the most requests in flight at once, all of which a spell may hold up that begins then. */
export function heldUp(requests: number, { spanMs, starvedMs, starvedSpells }: Starved, inFlight: number): number {
  if (starvedMs === 0 || spanMs <= 0) return 0
  return Math.min(requests, Math.ceil(requests * (starvedMs / spanMs) + inFlight * starvedSpells))
}
