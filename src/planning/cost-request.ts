/** The prices that the cost of a plan is made of, from the tables that ship or the user's copies, and their flags. */
import { z } from 'zod'
import { failure, UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { type FlagValues, flagGroup, oneOf } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'
import { type Rule, rulesOf } from '../parse/parse-flags.ts'
import { share } from '../parse/quantity.ts'
import { type ModelPrice, type PlanCost, planCost, type TrafficPrices } from '../plan/cost.ts'
import type { Demand } from '../plan/demand.ts'
import type { PlanChoices } from '../plan/plan.ts'
import type { Fleet } from '../plan/redundancy.ts'
import { packaged } from '../system/machine.ts'
import { fileNamed } from '../system/shipped.ts'

const price = z.number().nonnegative()
const cloudSchema = z
  .strictObject({
    region: z.string(),
    date: z.string(),
    source: z.string(),
    load_balancer: z.strictObject({ hour: price, gb: price }),
    nat: z.strictObject({ hour: price, gb: price }),
    cross_zone: price,
    cache: z.strictObject({ hour: price, node: z.string() }),
    egress: z
      .array(z.strictObject({ up_to_gb: z.number().positive().default(Number.POSITIVE_INFINITY), gb: price }))
      .min(1),
  })
  .refine(({ egress }) => egress.every(({ up_to_gb: to }, i) => to > (egress[i - 1]?.up_to_gb ?? 0)), {
    path: ['egress'],
    message: 'must ascend, and the last has no up_to_gb',
  })
  .transform(
    ({ load_balancer: loadBalancer, cross_zone: crossZoneGb, egress, ...rest }): TrafficPrices => ({
      ...rest,
      loadBalancer,
      crossZoneGb,
      egress: egress.map(({ up_to_gb: upToGb, gb }) => ({ upToGb, gb })),
    }),
  )
const modelSchema = z.strictObject({ input: price, output: price, date: z.string(), source: z.string() })

const MODEL_PRICES = packaged('profiles', 'sizing', 'model-prices.yaml')

const { text } = flagGroup('COSTS')

export const costFlags = {
  'mean-load': text(
    share.refine((part) => part > 0, '0 sends nothing').optional(),
    'mean load of a month over the peak [default: as the demand says, else a third]',
    { example: '33%' },
  ),
  clients: text(oneOf(['outside', 'inside']).optional(), 'whether answers leave for the internet [default: outside]', {
    helpValue: 'outside|inside',
  }),
  'traffic-prices': text(z.string().optional(), 'your own prices of bytes [default: sizing/traffic-prices]', {
    helpValue: 'file.yaml',
  }),
  model: text(z.string().optional(), 'model whose tokens are paid for: adds their price', { helpValue: 'gpt-4o-mini' }),
  'model-prices': text(z.string().optional(), 'your own prices of models [default: sizing/model-prices]', {
    helpValue: 'file.yaml',
  }),
}

export type CostOptions = FlagValues<typeof costFlags>

const rule = rulesOf<CostOptions>()

export const COST_RULES: readonly Rule<CostOptions>[] = [
  rule(
    ['model-prices', 'model'],
    (options) =>
      options['model-prices'] !== undefined &&
      options.model === undefined &&
      failure('--model-prices has no effect without --model', 'Name the model with --model.'),
  ),
]

/** A cloud that the table has no prices of: its machines alone are counted. */
function withoutPrices({ cloud, region = 'where they stand', priceDate = '' }: PlanChoices['node']): TrafficPrices {
  const none = { hour: 0, gb: 0 }
  return {
    region,
    date: priceDate,
    source: `bytes of ${cloud} are not priced: give them with --traffic-prices`,
    loadBalancer: none,
    nat: none,
    crossZoneGb: 0,
    cache: { hour: 0, node: '' },
    egress: [{ upToGb: Number.POSITIVE_INFINITY, gb: 0 }],
  }
}

/** Undefined where the machine has no price. */
export function costOf(
  options: CostOptions & { purchase?: string | undefined },
  demand: Demand,
  { figures, node }: PlanChoices,
  fleet: Pick<Fleet, 'nodes' | 'zones'> & { natGateways: number },
): PlanCost | undefined {
  const model = options.model === undefined ? undefined : modelPrice(options.model, options['model-prices'])
  if (node.usdPerHour === undefined) return undefined
  const path = fileNamed(options['traffic-prices'] ?? packaged('profiles', 'sizing', 'traffic-prices.yaml'))
  const table = readYaml(path, z.record(z.string(), cloudSchema), 'file of prices of bytes')
  const prices = table[node.cloud.toLowerCase()] ?? withoutPrices(node)
  return planCost(demand, figures, fleet, node.usdPerHour, prices, {
    purchase: options.purchase === 'on-demand' ? undefined : options.purchase,
    clientsOutside: options.clients !== 'inside',
    meanLoad: options['mean-load'],
    model,
  })
}

/** The list price that ships with kt, where there is one. */
export function priceOfModel(name: string): Omit<ModelPrice, 'model'> | undefined {
  return readModelPrices(MODEL_PRICES)[name]
}

function readModelPrices(path: string) {
  return readYaml(fileNamed(path), z.record(z.string(), modelSchema), 'file of prices of models')
}

function modelPrice(name: string, path: string = MODEL_PRICES): ModelPrice {
  const table = readModelPrices(path)
  const entry = table[name]
  if (entry) return { model: name, ...entry }
  const near = didYouMean(name, Object.keys(table))
  throw new UserError(
    `--model: no price of '${name}'${near ? ` (did you mean '${near}'?)` : ''}`,
    `Known: ${Object.keys(table).join(', ')}; give others with --model-prices.`,
  )
}
