/**
 * The one clock: monotonic microseconds on the host's own time line (CLOCK_MONOTONIC), so that instants taken in different
 * threads and processes of one host can be compared. Everything that measures takes a `Clock`; tests hand in their own.
 */

/** Returns monotonic microseconds, with a fraction. */
export type Clock = () => number

// performance.now() costs a quarter of hrtime.bigint() but starts at the process (or worker); the offset ties it to the host.
const offsetUs = Number(process.hrtime.bigint()) / 1_000 - performance.now() * 1_000

export const now: Clock = () => offsetUs + performance.now() * 1_000
