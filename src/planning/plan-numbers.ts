/** Numbers in the planner's flags: counts, sizes, durations, shares, ranges. What has no sensible plan is refused by the flag's name. */
import { UserError } from '../errors.ts'
import type { RedundancyRange } from '../plan/sizing.ts'
import { parseBytes, parseCount, parseDurationMs } from '../units.ts'

/** Beyond any fleet; above it sums lose whole tokens. */
const MAX_COUNT = 1e15
const RANGE = /^(\d+(?:\.\d+)?)x?(?:\s*[-–]\s*(\d+(?:\.\d+)?)x?)?$/i

/** A count above 0: '80M', '1.5k'. A size in bytes is told apart from a typing error. */
export function positiveCount(flag: string, given: string, whatFor: string, example: string): number {
  const next = `Write a number above 0, for example --${flag} ${example}.`
  const value = parseCount(given)
  if (value === undefined && !/^-/.test(given)) {
    const mega = /^[\d.]+m$/.test(given) ? ' (a million is M)' : ''
    const why = parseBytes(given) === undefined ? `is not a count${mega}` : 'is a size in bytes'
    throw new UserError(`--${flag}: '${given}' ${why}; it is ${whatFor}`, next)
  }
  if (value === undefined || value <= 0)
    throw new UserError(`--${flag} must be above 0 (${whatFor}), not '${given}'`, next)
  if (value > MAX_COUNT) throw new UserError(`--${flag}: ${given} is beyond anything to plan for (${whatFor})`, next)
  return value
}

/** A count of 0 or more. */
export function countOrZero(flag: string, given: string, whatFor: string, example: string): number {
  return parseCount(given) === 0 ? 0 : positiveCount(flag, given, whatFor, example)
}

export function wholeCount(flag: string, given: string, whatFor: string, example: string): number {
  const value = positiveCount(flag, given, whatFor, example)
  if (!Number.isInteger(value))
    throw new UserError(`--${flag} must be whole, not ${given} (${whatFor})`, `Write for example --${flag} ${example}.`)
  return value
}

export function sizeOf(flag: string, given: string, example: string): number {
  const value = parseBytes(given)
  if (value !== undefined && value > 0) return value
  throw new UserError(`--${flag}: '${given}' is not a size above 0`, `Write a size, for example --${flag} ${example}.`)
}

/** Seconds, from '60s' or '5m'; a bare number is refused, it could be either. */
export function secondsOf(flag: string, given: string, example: string): number {
  const ms = parseDurationMs(given)
  if (ms !== undefined && ms > 0) return ms / 1_000
  throw new UserError(
    `--${flag}: '${given}' is not a duration above 0`,
    `Write a duration with its unit, for example --${flag} ${example}.`,
  )
}

/** '10%' or '0.1' -> 0.1, within [0, 1]. */
export function shareOf(flag: string, given: string, example: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/.exec(given.trim())
  const value = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN
  if (value >= 0 && value <= 1) return value
  throw new UserError(
    `--${flag}: '${given}' is not a share between 0 and 1 (or 0 % and 100 %)`,
    `Write for example --${flag} ${example}.`,
  )
}

export function redundancyOf(given: string): RedundancyRange {
  const next = 'Write one factor (3) or a range (2-4).'
  const match = RANGE.exec(given.trim())
  if (!match?.[1]) throw new UserError(`--redundancy: '${given}' is not a factor or a range`, next)
  const min = Number(match[1])
  const max = match[2] === undefined ? min : Number(match[2])
  if (min > max) throw new UserError(`--redundancy ${given}: the range runs backwards`, `Write ${max}-${min}.`)
  if (min < 1) throw new UserError(`--redundancy ${given}: a factor below 1 plans for less than the peak`, next)
  return { min, max }
}
