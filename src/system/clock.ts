/**
 * The one clock: monotonic microseconds on the host's own time line (CLOCK_MONOTONIC), so that instants taken in
 * different threads and processes of one host can be compared. Everything that measures takes a `Clock`; tests hand in
 * their own.
 */

/** Returns monotonic microseconds, with a fraction. */
export type Clock = () => number

// performance.now() costs a quarter of hrtime.bigint() but starts at the process (or thread); the offset ties it to the
// host.
const offsetUs = offset()

export const now: Clock = () => offsetUs + performance.now() * 1_000

/** An instant of this clock in milliseconds of the Unix epoch, by the wall clock at the start of this process. */
export function unixMs(us: number): number {
  return performance.timeOrigin + (us - offsetUs) / 1_000
}

/** From the tightest of several pairs of readings: the first use of either function takes a millisecond by itself. */
function offset(): number {
  let best = { widthUs: Number.POSITIVE_INFINITY, offsetUs: 0 }
  for (let i = 0; i < 20; i++) {
    const beforeUs = hostUs()
    const ownUs = performance.now() * 1_000
    const afterUs = hostUs()
    const widthUs = afterUs - beforeUs
    if (widthUs < best.widthUs) best = { widthUs, offsetUs: (beforeUs + afterUs) / 2 - ownUs }
  }
  return best.offsetUs
}

function hostUs(): number {
  return Number(process.hrtime.bigint()) / 1_000
}
