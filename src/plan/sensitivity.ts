/**
 * What the answer hangs on: each input moved by itself, down and up by a share or over its own measured interval, and
 * the nodes and workers that follow, sorted by the swing (a tornado chart). One input at a time: what moves together is
 * a scenario (--what-if). And when growth uses up what there is.
 */
import type { Demand } from './demand.ts'
import { FIGURE_KEYS, type Figure, type FigureKey } from './figures.ts'
import { makePlan, type PlanChoices } from './plan.ts'
import type { Sizing } from './sizing.ts'

export interface Swing {
  name: string
  low: number
  value: number
  high: number
  /** Whether low and high are the measured interval, or a share of the value. */
  range: 'measured' | 'assumed'
  nodes: { low: number; high: number }
  workers: { low: number; high: number }
  binding: { low: string; high: string }
  swing: number
}

export interface Sensitivity {
  nodes: number
  workers: number
  binding: string
  swings: Swing[]
}

const SHARES: ReadonlySet<FigureKey> = new Set(['networkUtilisation'])

export function sensitivity(demand: Demand, sizing: Sizing, choices: PlanChoices, by: number): Sensitivity {
  const base = need(demand, sizing, choices)
  const moved = (
    name: string,
    value: number,
    low: number,
    high: number,
    range: Swing['range'],
    at: (value: number) => Need,
  ): Swing => {
    const [below, above] = [at(low), at(high)]
    return {
      name,
      low,
      value,
      high,
      range,
      nodes: { low: below.nodes, high: above.nodes },
      workers: { low: below.workers, high: above.workers },
      binding: { low: below.binding, high: above.binding },
      swing: Math.abs(above.nodes - below.nodes),
    }
  }
  const ofDemand = (name: 'inputTokensPerSec' | 'outputTokensPerSec'): Swing[] => {
    const value = demand[name]
    return value > 0
      ? [
          moved(name, value, value * (1 - by), value * (1 + by), 'assumed', (to) =>
            need({ ...demand, [name]: to }, sizing, choices),
          ),
        ]
      : []
  }
  const ofFigure = (key: FigureKey): Swing => {
    const { value, low, high } = choices.figures[key]
    const measured = low !== undefined && high !== undefined
    const top = SHARES.has(key) ? Math.min(1, value * (1 + by)) : value * (1 + by)
    return moved(key, value, low ?? value * (1 - by), high ?? top, measured ? 'measured' : 'assumed', (to) => {
      const figure: Figure = { ...choices.figures[key], value: to }
      return need(demand, sizing, { ...choices, figures: { ...choices.figures, [key]: figure } })
    })
  }
  const swings = [...ofDemand('inputTokensPerSec'), ...ofDemand('outputTokensPerSec'), ...FIGURE_KEYS.map(ofFigure)]
  return { ...base, swings: swings.sort((a, b) => b.swing - a.swing || a.name.localeCompare(b.name)) }
}

interface Need {
  nodes: number
  workers: number
  binding: string
}

/** Before rounding, so that a small move shows. */
function need(demand: Demand, sizing: Sizing, choices: PlanChoices): Need {
  const { constraints, workers, answer } = makePlan(demand, sizing, choices)
  return { nodes: constraints[0]?.nodes ?? 0, workers: workers.raw, binding: answer.binding }
}

export interface Growth {
  /** Growth of the demand in one period, as a share. */
  rate: number
  periodDays: number
}

interface Exhaustion {
  now: number
  capacity: number
  /** Days until the demand needs all of the capacity; 0 where it does already, undefined where it never will. */
  days: number | undefined
  /** Days until it must be ordered; below 0 it is late. */
  orderInDays: number | undefined
}

/**
 * When growth uses up the capacity: W(t) = W0 (1 + g)^t reaches it after ln(capacity / now) / ln(1 + g) periods, and
 * the order goes out a lead time before. In days from now: the caller has the calendar.
 */
export function exhaustion(now: number, capacity: number, { rate, periodDays }: Growth, leadDays: number): Exhaustion {
  if (now >= capacity) return { now, capacity, days: 0, orderInDays: -leadDays }
  if (rate <= 0) return { now, capacity, days: undefined, orderInDays: undefined }
  const days = (Math.log(capacity / now) / Math.log1p(rate)) * periodDays
  return { now, capacity, days, orderInDays: days - leadDays }
}
