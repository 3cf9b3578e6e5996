/**
 * By how much the clock of another host differs from this one's, with a bound that holds. All instants are microseconds
 * of `src/system/clock.ts`, which starts at the boot of its host and stands still while the host sleeps: only messages
 * relate two of them. An offset is the other clock minus this one.
 *
 * Sources: RFC 5905 (NTP), section 8: the four stamps of an exchange, and what they say of offset and delay. Cristian,
 * "Probabilistic clock synchronization" (1989): the fastest of several round trips has the smallest bound. Marzullo and
 * Owicki, "Maintaining the time in a distributed system" (1983): intervals that all hold the truth are intersected.
 */
import { failure, type Result, success } from '../../errors.ts'
import type { Clock } from '../../system/clock.ts'

/** When the other host had a message, and when its answer left it, by its own clock. */
export interface RemoteTimes {
  receivedUs: number
  sentUs: number
}

/** One round trip; undefined where no answer came in time. */
export type Ask = () => Promise<RemoteTimes | undefined>

export interface Exchange extends RemoteTimes {
  askedUs: number
  answeredUs: number
}

/** The offset at the instant `atUs` of this host: the truth is within `errorUs` of `offsetUs`, to either side. */
export interface ClockOffset {
  atUs: number
  offsetUs: number
  errorUs: number
  /** Of the fastest round trip, without the time that the other host had it. */
  roundTripUs: number
  exchanges: number
}

/**
 * Two clocks run apart by at most this: the kernel slews each by no more than 500 ppm (NTP's MAXFREQ). More is a clock
 * that was set, or a host that slept.
 */
const MOST_APART = 1_000e-6
/** By so much may their rate differ, at any instant, from its mean over a run: 15 ppm each (NTP's PHI). */
const MOST_WANDER = 30e-6

const ROUNDS = 32
const LONGEST_US = 3_000_000
/** Fewer answers than this are no measurement. */
const FEWEST = 4

/** Asks again and again, one question at a time, since questions in a queue would wait for each other. */
export async function measureOffset(
  ask: Ask,
  now: Clock,
  { rounds = ROUNDS, longestUs = LONGEST_US } = {},
): Promise<Result<ClockOffset>> {
  const exchanges: Exchange[] = []
  const startUs = now()
  let asked = 0
  for (; asked < rounds && (asked < FEWEST || now() - startUs < longestUs); asked++) {
    const askedUs = now()
    const times = await ask()
    if (times) exchanges.push({ ...times, askedUs, answeredUs: now() })
  }
  if (exchanges.length < FEWEST) return failure(`only ${exchanges.length} of ${asked} questions for its clock answered`)
  return offsetOf(exchanges)
}

/**
 * A message was under way for no negative time: each exchange holds the offset between `sent - answered` and
 * `received - asked`. The highest of the lower limits comes of the fastest way here and the lowest of the upper ones of
 * the fastest way there, which need not be of the same round trip. The bound of one that is older is wider by what the
 * clocks may have run apart since.
 */
export function offsetOf(exchanges: readonly Exchange[]): Result<ClockOffset> {
  const atUs = Math.max(...exchanges.map(({ answeredUs }) => answeredUs))
  const apartUs = ({ askedUs }: Exchange): number => MOST_APART * (atUs - askedUs)
  const lowUs = Math.max(...exchanges.map((each) => each.sentUs - each.answeredUs - apartUs(each)))
  const highUs = Math.min(...exchanges.map((each) => each.receivedUs - each.askedUs + apartUs(each)))
  if (!(lowUs <= highUs)) return failure(`its clock jumped by ${Math.round(lowUs - highUs)} us while it was asked`)
  return success({
    atUs,
    offsetUs: (lowUs + highUs) / 2,
    errorUs: (highUs - lowUs) / 2,
    roundTripUs: Math.min(...exchanges.map((e) => e.answeredUs - e.askedUs - (e.sentUs - e.receivedUs))),
    exchanges: exchanges.length,
  })
}

/** How the other clock went over a run. */
export interface ClockTrack {
  /** By how much the offset changed from the first measurement to the last, within `driftErrorUs`. */
  driftUs: number
  driftErrorUs: number
  /** The offset at an instant of this host. */
  at(us: number): { offsetUs: number; errorUs: number }
  /** What an instant of the other host was here. */
  here(remoteUs: number): { atUs: number; errorUs: number }
}

/**
 * Of measurements before, during and after a run, in their order: a line from each to the next. Between two of them the
 * error is that of the two, and what a rate that wanders can add since the nearer one; before the first and after the
 * last, where no rate is known, what two clocks can run apart.
 */
export function clockTrack(measured: readonly [ClockOffset, ...ClockOffset[]]): Result<ClockTrack> {
  const [first] = measured
  const last = measured.at(-1) ?? first
  for (const [i, next] of measured.slice(1).entries()) {
    const jumpUs = jumpBetween(measured[i] ?? first, next)
    if (jumpUs > 0)
      return failure(`its clock jumped by ${Math.round(jumpUs)} us or more: it was set, or its host slept`)
  }
  const at = (us: number): { offsetUs: number; errorUs: number } => {
    const i = measured.findIndex(({ atUs }) => atUs >= us)
    const before = measured[i - 1]
    const after = measured[i]
    if (before && after) return between(before, after, us)
    const nearest = us < first.atUs ? first : last
    return { offsetUs: nearest.offsetUs, errorUs: nearest.errorUs + MOST_APART * Math.abs(us - nearest.atUs) }
  }
  return success({
    driftUs: last.offsetUs - first.offsetUs,
    driftErrorUs: last === first ? 0 : last.errorUs + first.errorUs,
    at,
    here: (remoteUs) => {
      // The offset is asked for at an instant of this host, which follows from the offset: each round is a thousand
      // times nearer than the one before.
      let atUs = remoteUs - first.offsetUs
      for (let round = 0; round < 4; round++) atUs = remoteUs - at(atUs).offsetUs
      return { atUs, errorUs: at(atUs).errorUs }
    },
  })
}

/** By how much more two measurements differ than their errors and the rates of clocks explain. */
function jumpBetween(before: ClockOffset, after: ClockOffset): number {
  const changedUs = Math.abs(after.offsetUs - before.offsetUs)
  return changedUs - before.errorUs - after.errorUs - MOST_APART * (after.atUs - before.atUs)
}

function between(before: ClockOffset, after: ClockOffset, us: number): { offsetUs: number; errorUs: number } {
  const part = (us - before.atUs) / (after.atUs - before.atUs)
  const mix = (a: number, b: number): number => a + part * (b - a)
  return {
    offsetUs: mix(before.offsetUs, after.offsetUs),
    errorUs: mix(before.errorUs, after.errorUs) + MOST_WANDER * Math.min(us - before.atUs, after.atUs - us),
  }
}

/** How far apart hosts began what they were to begin at one instant, the first to the last of them. */
export interface StartSkew {
  skewUs: number
  /** What the errors of the offsets leave possible. */
  atLeastUs: number
  atMostUs: number
}

/** Of when each host began, by the clock of this one. */
export function startSkew(starts: readonly { atUs: number; errorUs: number }[]): StartSkew {
  if (starts.length < 2) return { skewUs: 0, atLeastUs: 0, atMostUs: 0 }
  const first = (of: (start: { atUs: number; errorUs: number }) => number): number => Math.min(...starts.map(of))
  const last = (of: (start: { atUs: number; errorUs: number }) => number): number => Math.max(...starts.map(of))
  return {
    skewUs: last(({ atUs }) => atUs) - first(({ atUs }) => atUs),
    atLeastUs: Math.max(0, last(({ atUs, errorUs }) => atUs - errorUs) - first(({ atUs, errorUs }) => atUs + errorUs)),
    atMostUs: last(({ atUs, errorUs }) => atUs + errorUs) - first(({ atUs, errorUs }) => atUs - errorUs),
  }
}
