/**
 * What a run costs: the price of its tokens, what is said of it before the run, and what it came to. Money is spoken
 * of where a target is not on this machine, and wherever the user does: a simulated provider takes none.
 */

import { isLoopback } from '../client/target.ts'
import { UserError } from '../errors.ts'
import { costOf } from '../load/limits.ts'
import type { CostBudget, RunPlan, TokenPrice } from '../load/plan.ts'
import { priceOfModel } from '../planning/cost-request.ts'
import { priceBasis } from '../report/cost-schema.ts'
import type { RunCost } from '../report/schema.ts'
import { formatUsd } from '../units.ts'
import { expectedRun } from './expected.ts'
import type { LoadOptions } from './options/load.ts'
import type { ArmSpending } from './spending.ts'
import type { NamedTarget } from './targets.ts'

interface ModelPrice extends TokenPrice {
  date: string | null
  source: string
}

export interface RunPrice {
  model: string
  /** Undefined where no price of the model is known. */
  price: ModelPrice | undefined
  budgetUsd: number | undefined
  /** The user spoke of money: what a simulated provider would have cost is told too. */
  asked: boolean
}

type Asked = Partial<Pick<LoadOptions, 'price' | 'cost-budget'>>

/** The price that the user gave, else the list price that ships with kt. */
export function priceOf({ price }: Asked, model: string): ModelPrice | undefined {
  if (price) return { ...price, date: null, source: '--price' }
  const listed = priceOfModel(model)
  return listed && { inputUsd: listed.input, outputUsd: listed.output, date: listed.date, source: listed.source }
}

/** Undefined where the run is not about money. */
export function findPrice(options: Asked, model: string, targets: readonly NamedTarget[]): RunPrice | undefined {
  const budgetUsd = options['cost-budget']
  const asked = budgetUsd !== undefined || options.price !== undefined
  const foreign = targets.some(([, { origin }]) => !isLoopback(new URL(origin).hostname))
  return asked || foreign ? { model, price: priceOf(options, model), budgetUsd, asked } : undefined
}

const GIVE_PRICE = '--price input=0.15,output=0.60 gives yours, in US dollars a million tokens'

/** What the plan may spend. A budget of money needs a price. */
export function toCostBudget(options: Asked, found: RunPrice | undefined): CostBudget | undefined {
  const usd = options['cost-budget']
  if (usd === undefined) return undefined
  if (!found?.price) {
    throw new UserError(`--cost-budget: no list price of '${found?.model}' is known`, `${GIVE_PRICE}.`)
  }
  return { usd, inputUsd: found.price.inputUsd, outputUsd: found.price.outputUsd }
}

/** Says before the run, or the runs of a sweep, what it will cost at most. */
export function announceCost(
  plans: readonly RunPlan[],
  found: RunPrice | undefined,
  note: (line: string) => void,
): void {
  if (!found) return
  const { price, model, budgetUsd } = found
  if (!price) {
    note(`What it costs is unknown: there is no list price of '${model}'. ${GIVE_PRICE}.`)
    return
  }
  const expected = plans.map((plan) => {
    const { requests, tokens } = expectedRun(plan)
    const each = costOf(price, tokens.input, tokens.output)
    return { each, all: requests === undefined ? undefined : requests * plan.arms.length * each }
  })
  const all = expected.reduce<number | undefined>((sum, run) => add(sum, run.all), 0)
  const each = Math.max(0, ...expected.map((run) => run.each))
  const sum = all === undefined ? `${formatUsd(each)} a request` : formatUsd(all)
  const limit = budgetUsd === undefined ? '' : `; it stops at ${formatUsd(budgetUsd)}`
  note(`It costs up to about ${sum} (${priceBasis(price)})${limit}.`)
}

/**
 * What the tokens of a run cost; null where their price is unknown. Undefined where a simulated provider answered (its
 * stamps tell), unless the user asked.
 */
export function costOfRun(
  { price, model, budgetUsd, asked }: RunPrice,
  spent: readonly ArmSpending[],
  simulated: boolean,
): RunCost | null | undefined {
  if (simulated && !asked) return undefined
  if (!price) return null
  const arms = spent.map(({ arm, input, output }) => {
    return { name: arm, inputTokens: input, outputTokens: output, usd: rounded(costOf(price, input, output)) }
  })
  const usd = rounded(arms.reduce((sum, arm) => sum + arm.usd, 0))
  return { usd, budgetUsd: budgetUsd ?? null, model, ...price, arms }
}

function add(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b
}

/** Without the noise of binary fractions. */
function rounded(usd: number): number {
  return Number(usd.toFixed(9))
}
