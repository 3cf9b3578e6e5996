/** Turns the flags of `kt plan` into a demand and the figures that replace the vendor's; refuses what has no sensible plan. */
import { UserError } from '../errors.ts'
import type { PlanOverrides } from '../plan/plan.ts'
import type { Demand, RedundancyRange } from '../plan/sizing.ts'
import { parseBytes, parseCount } from '../units.ts'

export interface PlanFlags {
  'input-peak'?: string | undefined
  'output-peak'?: string | undefined
  ratio?: string | undefined
  'output-per-worker'?: string | undefined
  redundancy?: string | undefined
  entities?: string | undefined
  rps?: string | undefined
}

const EXAMPLES: Record<keyof PlanFlags, string> = {
  'input-peak': '80M',
  'output-peak': '10M',
  ratio: '4',
  'output-per-worker': '1M',
  redundancy: '2-4',
  entities: '600',
  rps: '250',
}
/** Beyond any fleet; above it sums lose whole tokens. */
const MAX_COUNT = 1e15
const RANGE = /^(\d+(?:\.\d+)?)x?(?:\s*[-–]\s*(\d+(?:\.\d+)?)x?)?$/i

export function planRequest(flags: PlanFlags): { demand: Demand; overrides: PlanOverrides } {
  const optional = <K extends string>(key: K, name: keyof PlanFlags, whatFor: string): { [P in K]?: number } => {
    const given = flags[name]
    return (given === undefined ? {} : { [key]: positiveCount(name, given, whatFor) }) as { [P in K]?: number }
  }
  return {
    demand: {
      inputTokensPerSec: peak('input-peak', flags),
      outputTokensPerSec: peak('output-peak', flags),
      ...optional('entities', 'entities', 'configured services and routes'),
      ...optional('requestsPerSec', 'rps', 'requests per second'),
    },
    overrides: {
      ...optional('ratio', 'ratio', 'input tokens that cost as much as one output token'),
      ...optional('outputPerWorker', 'output-per-worker', 'tokens per second'),
      ...(flags.redundancy === undefined ? {} : { redundancy: redundancyOf(flags.redundancy) }),
    },
  }
}

function peak(name: 'input-peak' | 'output-peak', flags: PlanFlags): number {
  const given = flags[name]
  if (given === undefined) {
    throw new UserError(
      `--${name} is missing: the peak in ${name.split('-')[0]} tokens per second`,
      'Example: kt plan --input-peak 80M --output-peak 10M',
    )
  }
  return positiveCount(name, given, 'tokens per second')
}

function positiveCount(name: keyof PlanFlags, given: string, whatFor: string): number {
  const next = `Write a number above 0, for example --${name} ${EXAMPLES[name]}.`
  const value = parseCount(given)
  if (value === undefined && !/^-./.test(given)) {
    const why = parseBytes(given) === undefined ? 'is not a count' : 'is a size in bytes'
    throw new UserError(`--${name}: '${given}' ${why}; it is ${whatFor}`, next)
  }
  if (value === undefined || value <= 0) {
    throw new UserError(`--${name} must be above 0 (${whatFor}), not '${given}'`, next)
  }
  if (value > MAX_COUNT) throw new UserError(`--${name}: ${given} is beyond anything to plan for (${whatFor})`, next)
  if (name === 'entities' && !Number.isInteger(value)) {
    throw new UserError(`--entities must be whole, not ${given} (${whatFor})`, next)
  }
  return value
}

function redundancyOf(given: string): RedundancyRange {
  const next = 'Write one factor (3) or a range (2-4).'
  const match = RANGE.exec(given.trim())
  if (!match?.[1]) throw new UserError(`--redundancy: '${given}' is not a factor or a range`, next)
  const min = Number(match[1])
  const max = match[2] === undefined ? min : Number(match[2])
  if (min > max) throw new UserError(`--redundancy ${given}: the range runs backwards`, `Write ${max}-${min}.`)
  if (min < 1) throw new UserError(`--redundancy ${given}: a factor below 1 plans for less than the peak`, next)
  return { min, max }
}
