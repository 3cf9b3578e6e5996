/** Calendar days for the planner: today, and a day so many days after another. */
import { UserError } from '../errors.ts'

export function today(): string {
  return new Date().toISOString().slice(0, 10)
}

/** '2026-11-23' plus whole days; fractions count as begun. Undefined beyond what a calendar holds. */
export function dayAfter(day: string, days: number): string | undefined {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  const moved = new Date(Date.UTC(year, month - 1, date + Math.floor(days)))
  return Number.isNaN(moved.getUTCFullYear()) || moved.getUTCFullYear() > 9_999
    ? undefined
    : moved.toISOString().slice(0, 10)
}

export function dayOf(flag: string, given: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(given) && dayAfter(given, 0) === given) return given
  throw new UserError(`--${flag}: '${given}' is not a day`, `Write for example --${flag} 2026-11-23.`)
}
