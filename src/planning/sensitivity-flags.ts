/**
 * The options of `kt plan sensitivity`: scenarios (`--what-if key=value,key=value`, the same command with other
 * options, so its keys are the options' names), and growth ('8%/month', the workers there are, and the lead time of an
 * order).
 */
import { UserError } from '../errors.ts'
import { didYouMean } from '../parse/explain.ts'
import type { Growth } from '../plan/sensitivity.ts'
import { type PlanFlags, planFlags, wholeCount } from './plan-flags.ts'

interface Scenario {
  name: string
  flags: PlanFlags
}

const BOOLEANS = new Set(['upstream-keepalive', 'allow-gaps'])

export function buildScenarios(flags: PlanFlags, given: readonly string[]): Scenario[] {
  return given.map((text) => ({ name: text, flags: { ...flags, ...parseChanges(text) } }))
}

function parseChanges(text: string): PlanFlags {
  const known = Object.keys(planFlags)
  // A comma inside a value (a mix) is not followed by an option's name.
  const parts = text.split(/,(?=\s*([a-z0-9-]+)\s*=)/).filter((_, i) => i % 2 === 0)
  const joined: string[] = []
  for (const part of parts) {
    if (known.includes(optionName(part)) || joined.length === 0) joined.push(part)
    else joined[joined.length - 1] += `,${part}`
  }
  return Object.fromEntries(joined.map((part) => parseChange(part, known)))
}

function optionName(part: string): string {
  return part.split('=')[0]?.trim() ?? ''
}

function parseChange(part: string, known: readonly string[]): [string, unknown] {
  const at = part.indexOf('=')
  const [key, value] = [optionName(part), part.slice(at + 1).trim()]
  if (at < 0 || value === '')
    throw new UserError(
      `--what-if: '${part.trim()}' is not option=value`,
      'Example: --what-if output-per-worker=1.5M,upstream=h2',
    )
  if (!known.includes(key)) {
    const near = didYouMean(key, known)
    throw new UserError(
      `--what-if: there is no option '${key}'${near ? ` (did you mean '${near}'?)` : ''}`,
      "The keys are the options of 'kt plan', without dashes in front.",
    )
  }
  if (BOOLEANS.has(key)) {
    if (value !== 'true' && value !== 'false')
      throw new UserError(`--what-if: ${key} is true or false, not '${value}'`, `Write ${key}=false.`)
    return [key, value === 'true']
  }
  if (key === 'upstream' && value !== 'h1' && value !== 'h2')
    throw new UserError(`--what-if: upstream is h1 or h2, not '${value}'`, 'Write upstream=h2.')
  return key === 'from-bench' ? [key, value.split(' ')] : [key, value]
}

export interface GrowthFlags {
  growth?: string | undefined
  have?: string | undefined
  'lead-time'?: string | undefined
  today?: string | undefined
}

export interface GrowthRequest {
  growth: Growth
  period: string
  have: number
  leadDays: number
  from: string
}

/** Days of a period of growth, and of a unit of the lead time. */
const PERIOD_DAYS = { week: 7, month: 365.25 / 12, quarter: 365.25 / 4, year: 365.25 } as const
const UNIT_DAYS = { d: 1, w: 7, m: 365.25 / 12 } as const

export function growthRequest(flags: GrowthFlags): GrowthRequest | undefined {
  if (flags.growth === undefined) {
    for (const name of ['have', 'lead-time', 'today'] as const) {
      if (flags[name] !== undefined)
        throw new UserError(`--${name} has no effect without --growth`, 'Give --growth 8%/month too.')
    }
    return undefined
  }
  const match = /^(-?\d+(?:\.\d+)?)\s*%\s*\/\s*(week|month|quarter|year)$/.exec(flags.growth.trim())
  if (!match)
    throw new UserError(
      `--growth: '${flags.growth}' is not a share a period`,
      'Write for example --growth 8%/month (week, month, quarter, year).',
    )
  const rate = Number(match[1]) / 100
  if (rate <= -1) throw new UserError(`--growth ${flags.growth}: nothing would be left`, 'Write a growth above -100 %.')
  if (flags.have === undefined)
    throw new UserError(
      '--growth needs --have: how many workers there are',
      'Example: --growth 8%/month --have 120 --lead-time 6w',
    )
  return {
    growth: { rate, periodDays: PERIOD_DAYS[match[2] as keyof typeof PERIOD_DAYS] },
    period: match[2] ?? '',
    have: wholeCount('have', flags.have, 'workers', '120'),
    leadDays: flags['lead-time'] === undefined ? 0 : parseLeadTime(flags['lead-time']),
    from: flags.today === undefined ? today() : parseDay('today', flags.today),
  }
}

function parseLeadTime(given: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(d|w|m)$/.exec(given.trim())
  if (!match)
    throw new UserError(
      `--lead-time: '${given}' is not a time in days, weeks or months`,
      'Write for example --lead-time 6w (d, w, m).',
    )
  return Number(match[1]) * UNIT_DAYS[match[2] as keyof typeof UNIT_DAYS]
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

/** '2026-11-23' plus whole days, fractions cut off. Undefined beyond what a calendar holds. */
export function dayAfter(day: string, days: number): string | undefined {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  const moved = new Date(Date.UTC(year, month - 1, date + Math.floor(days)))
  return Number.isNaN(moved.getUTCFullYear()) || moved.getUTCFullYear() > 9_999
    ? undefined
    : moved.toISOString().slice(0, 10)
}

function parseDay(flag: string, given: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(given) && dayAfter(given, 0) === given) return given
  throw new UserError(`--${flag}: '${given}' is not a day`, `Write for example --${flag} 2026-11-23.`)
}
