/**
 * The options of `kt plan sensitivity`: scenarios (`--what-if key=value,key=value`, the same command with other
 * options, so its keys are the options' names), and growth ('8%/month', the workers there are, and the lead time of an
 * order).
 */
import { z } from 'zod'
import { failure, type Result, success } from '../errors.ts'
import { flagOf } from '../parse/flag-names.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'
import { Faults, givenOf, type Rule, rulesOf } from '../parse/parse-flags.ts'
import { parsedBy, share } from '../parse/quantity.ts'
import type { Growth } from '../plan/sensitivity.ts'
import { COST_RULES, costFlags } from './cost-request.ts'
import { type PlanOptions, planFlags, wholeCount } from './plan-flags.ts'
import { PLAN_RULES } from './plan-rules.ts'

const DEFAULT_QUARTERS = 8
const MAX_QUARTERS = 40
const BOOLEANS = new Set(['upstream-keepalive', 'allow-gaps'])

/** A scenario: the options that are other than the command's, as they would be typed. */
export interface WhatIf {
  name: string
  changes: Readonly<Record<string, unknown>>
}

function parseWhatIf(text: string): Result<WhatIf> {
  const known = Object.keys(planFlags)
  // A comma inside a value (a mix) is not followed by an option's name.
  const parts = text.split(/,(?=\s*([a-z0-9-]+)\s*=)/).filter((_, i) => i % 2 === 0)
  const joined: string[] = []
  for (const part of parts) {
    if (known.includes(flagOf(optionName(part), known)) || joined.length === 0) joined.push(part)
    else joined[joined.length - 1] += `,${part}`
  }
  const changes: Record<string, unknown> = {}
  for (const part of joined) {
    const change = parseChange(part, known)
    if (!change.ok) return change
    const [name, value] = change.value
    changes[name] = value
  }
  return success({ name: text, changes })
}

function optionName(part: string): string {
  return part.split('=')[0]?.trim() ?? ''
}

function parseChange(part: string, known: readonly string[]): Result<readonly [string, unknown]> {
  const at = part.indexOf('=')
  const [key, value] = [flagOf(optionName(part), known), part.slice(at + 1).trim()]
  if (at < 0 || value === '')
    return failure(`'${part.trim()}' is not option=value`, 'Example: --what-if output-per-worker=1.5M,upstream-http=h2')
  if (!known.includes(key)) {
    const near = didYouMean(key, known)
    return failure(
      `there is no option '${key}'${near ? ` (did you mean '${near}'?)` : ''}`,
      "The keys are the options of 'kt plan', without dashes in front.",
    )
  }
  if (BOOLEANS.has(key)) {
    if (value !== 'true' && value !== 'false')
      return failure(`${key} is true or false, not '${value}'`, `Write ${key}=false.`)
    return success([key, value === 'true'])
  }
  return success([key, key === 'from-bench' ? value.split(' ') : value])
}

export interface GrowthRequest {
  growth: Growth
  period: string
  have: number | undefined
  quarters: number
  leadDays: number
  from: string
}

/** Days of a period of growth, and of a unit of the lead time. */
export const PERIOD_DAYS = { week: 7, month: 365.25 / 12, quarter: 365.25 / 4, year: 365.25 } as const
const UNIT_DAYS = { d: 1, w: 7, m: 365.25 / 12 } as const

/** '8%/month' */
function parseGrowth(given: string): Result<Pick<GrowthRequest, 'growth' | 'period'>> {
  const match = /^(-?\d+(?:\.\d+)?)\s*%\s*\/\s*(week|month|quarter|year)$/.exec(given.trim())
  if (!match) {
    return failure(
      `'${given}' is not a share a period`,
      'Write for example --growth 8%/month (week, month, quarter, year).',
    )
  }
  const rate = Number(match[1]) / 100
  if (rate <= -1) return failure(`${given}: nothing would be left`, 'Write a growth above -100 %.')
  const period = match[2] as keyof typeof PERIOD_DAYS
  return success({ growth: { rate, periodDays: PERIOD_DAYS[period] }, period })
}

/** '6w' -> days. */
function parseLeadTime(given: string): Result<number> {
  const match = /^(\d+(?:\.\d+)?)\s*(d|w|m)$/.exec(given.trim())
  return match
    ? success(Number(match[1]) * UNIT_DAYS[match[2] as keyof typeof UNIT_DAYS])
    : failure(`'${given}' is not a time in days, weeks or months`, 'Write for example --lead-time 6w (d, w, m).')
}

const { text, texts, toggle } = flagGroup('SENSITIVITY')

const isDay = (given: string): boolean => /^\d{4}-\d\d-\d\d$/.test(given) && dayAfter(given, 0) === given

/** The flags of `kt plan sensitivity`. */
export const sensitivityFlags = {
  ...planFlags,
  ...costFlags,
  by: text(
    share.refine((part) => part > 0, '0 moves nothing'),
    'change of each input, where no interval was measured',
    { default: '20%', helpValue: '<value>', example: '20%' },
  ),
  'what-if': texts(z.array(parsedBy(parseWhatIf)).optional(), "scenario: options of 'kt plan' to change; repeatable", {
    helpValue: 'key=value,…',
  }),
  growth: text(parsedBy(parseGrowth).optional(), 'growth of the demand', { example: '8%/month' }),
  have: text(wholeCount.optional(), 'number of workers you have [default: what kt plan deploys]', { example: '120' }),
  quarters: text(
    wholeCount
      .refine((quarters) => quarters <= MAX_QUARTERS, `no growth holds for more than ${MAX_QUARTERS}`)
      .optional(),
    'quarters that the table of growth looks ahead [default: 8]',
    { example: '8' },
  ),
  'lead-time': text(parsedBy(parseLeadTime).optional(), 'time from order to service', { example: '6w' }),
  today: text(
    z
      .string()
      .refine(isDay, { error: ({ input }) => `'${String(input)}' is not a day` })
      .optional(),
    'day from which growth counts',
    { example: '2026-11-23' },
  ),
  all: toggle('show inputs without influence too'),
  json: flagGroup().toggle('print the result as JSON'),
}

export type SensitivityOptions = FlagValues<typeof sensitivityFlags>

const rule = rulesOf<SensitivityOptions>()

const RULES: readonly Rule<SensitivityOptions>[] = [
  ...(['have', 'lead-time', 'today', 'quarters'] as const).map((name) =>
    rule(
      [name, 'growth'],
      (options) =>
        options[name] !== undefined &&
        options.growth === undefined &&
        failure(`--${name} has no effect without --growth`, 'Give --growth 8%/month too.'),
    ),
  ),
]

/** The command's options, and those of each scenario: the same command line with other options. */
export function parseSensitivityFlags(flags: Readonly<Record<string, unknown>>): {
  options: SensitivityOptions
  scenarios: { name: string; options: PlanOptions }[]
} {
  const faults = new Faults()
  const options = faults.read(sensitivityFlags, givenOf(flags))
  faults.check(options, [...PLAN_RULES, ...COST_RULES, ...RULES])
  const changed = (options['what-if'] ?? []).map(({ name, changes }) => {
    const scenario = faults.read(planFlags, { values: { ...flags, ...changes } })
    faults.check(scenario, PLAN_RULES)
    return { name, options: scenario }
  })
  faults.refuse('kt plan sensitivity')
  return { options, scenarios: changed.length === 0 ? [] : [{ name: 'as it is', options }, ...changed] }
}

export function growthRequest(options: SensitivityOptions): GrowthRequest | undefined {
  const { growth, have, quarters = DEFAULT_QUARTERS, 'lead-time': leadDays = 0, today = dayOfToday() } = options
  return growth && { ...growth, have, quarters, leadDays, from: today }
}

function dayOfToday(): string {
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
