/** The options of growth: '8%/month', the workers there are, and the lead time of an order. */
import { UserError } from '../errors.ts'
import type { Growth } from '../plan/growth.ts'
import { dayOf, today } from './dates.ts'
import { wholeCount } from './plan-numbers.ts'

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
    leadDays: flags['lead-time'] === undefined ? 0 : leadOf(flags['lead-time']),
    from: flags.today === undefined ? today() : dayOf('today', flags.today),
  }
}

function leadOf(given: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(d|w|m)$/.exec(given.trim())
  if (!match)
    throw new UserError(
      `--lead-time: '${given}' is not a time in days, weeks or months`,
      'Write for example --lead-time 6w (d, w, m).',
    )
  return Number(match[1]) * UNIT_DAYS[match[2] as keyof typeof UNIT_DAYS]
}
