/** The header `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). */

const SECONDS = /^\s*\d+(?:\.\d+)?\s*$/
const WEEKDAY = /^\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/

/**
 * The wait that it tells, in milliseconds; undefined where it tells none. `date` is the answer's own header `date`, by
 * whose clock a date was meant.
 */
export function readRetryAfterMs(value: string | undefined, date?: string): number | undefined {
  if (value === undefined) return undefined
  const ms = SECONDS.test(value) ? Number(value) * 1_000 : parseDateMs(value) - wallMs(date)
  return ms > 0 ? ms : undefined
}

function wallMs(date: string | undefined): number {
  const ms = date === undefined ? Number.NaN : parseDateMs(date)
  return Number.isNaN(ms) ? performance.timeOrigin + performance.now() : ms
}

/** A date of HTTP, also in the old form that names no zone; NaN for anything else. */
function parseDateMs(text: string): number {
  if (!WEEKDAY.test(text)) return Number.NaN
  return Date.parse(text.includes('GMT') ? text : `${text} GMT`)
}
