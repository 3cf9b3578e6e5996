/**
 * What a plan costs in a month: machines, what its bytes cost on their way (load balancer, between zones, NAT, to the
 * internet), and the tokens at a model's prices. Bytes are those of the mean load, machines stand for the peak. A
 * balancer sends a request to any zone, so of Z zones (Z - 1) / Z of the bytes cross; prompts leave for the provider.
 */

import { type Demand, UNKNOWN_MEAN } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import { HOURS_PER_MONTH } from './instances.ts'
import type { Fleet } from './redundancy.ts'
import { bytesPerOutputToken } from './wire-needs.ts'

export interface TrafficPrices {
  region: string
  date: string
  source: string
  loadBalancer: { hour: number; gb: number }
  nat: { hour: number; gb: number }
  crossZoneGb: number
  cache: { hour: number; node: string }
  /** Ascending; the last has no end. */
  egress: { upToGb: number; gb: number }[]
}

export interface ModelPrice {
  model: string
  /** US dollars a million tokens. */
  input: number
  output: number
  date: string
  source: string
}

interface Part {
  name: 'machines' | 'load balancer' | 'NAT' | 'cross-zone' | 'egress' | 'cache'
  usdPerMonth: number
  why: string
}

export interface PlanCost {
  parts: Part[]
  trafficUsdPerMonth: number
  usdPerMonth: number
  gbPerMonth: number
  meanLoad: { share: number; why: string }
  prices: { region: string; date: string; source: string }
  tokens?: { model: string; usdPerMonth: number; date: string; source: string } | undefined
}

const GB = 1024 ** 3
const MONTH_S = HOURS_PER_MONTH * 3_600

export function planCost(
  demand: Demand,
  figures: PlanFigures,
  fleet: Pick<Fleet, 'nodes' | 'zones'> & { natGateways: number },
  usdPerHour: number,
  prices: TrafficPrices,
  choices: {
    purchase?: string | undefined
    clientsOutside: boolean
    meanLoad?: number | undefined
    model?: ModelPrice | undefined
  },
): PlanCost {
  const { zones, nodes, natGateways } = fleet
  const meanLoad =
    choices.meanLoad === undefined ? (demand.meanLoad ?? UNKNOWN_MEAN) : { share: choices.meanLoad, why: '--mean-load' }
  const month = meanLoad.share * MONTH_S
  const inGb = (demand.inputTokensPerSec * figures.inputBytesPerToken.value * month) / GB
  const outGb = (demand.outputTokensPerSec * bytesPerOutputToken(demand, figures) * month) / GB
  const misses = 1 - demand.cacheHitShare
  const leaving = inGb * misses + (choices.clientsOutside ? outGb : 0)
  const hours = (perHour: number, count = 1): number => perHour * HOURS_PER_MONTH * count
  const bytes: Part[] = [
    {
      name: 'load balancer',
      usdPerMonth: hours(prices.loadBalancer.hour) + (inGb + outGb) * prices.loadBalancer.gb,
      why: 'prompts and answers pass it',
    },
    {
      name: 'cross-zone',
      usdPerMonth: ((inGb + outGb) * (zones - 1) * prices.crossZoneGb) / zones,
      why: `${zones - 1} of ${zones} requests are balanced into another zone`,
    },
    ...(natGateways > 0
      ? [
          {
            name: 'NAT' as const,
            usdPerMonth: hours(prices.nat.hour, zones * natGateways) + (inGb + outGb) * misses * prices.nat.gb,
            why:
              `${natGateways === 1 ? 'one' : natGateways} a zone, both ways to the provider; ` +
              'a private link to it costs less',
          },
        ]
      : []),
    {
      name: 'egress',
      usdPerMonth: tiered(leaving, prices.egress),
      why: choices.clientsOutside ? 'prompts to the provider, answers to clients outside' : 'prompts to the provider',
    },
    ...(demand.cacheHitShare > 0
      ? [{ name: 'cache' as const, usdPerMonth: hours(prices.cache.hour, 2), why: `two ${prices.cache.node}` }]
      : []),
  ]
  const machines = hours(usdPerHour, nodes.steady)
  const traffic = bytes.reduce((sum, { usdPerMonth }) => sum + usdPerMonth, 0)
  const { model } = choices
  return {
    parts: [
      { name: 'machines', usdPerMonth: machines, why: `${choices.purchase ?? 'on demand'}, all month` },
      ...bytes.filter(({ usdPerMonth }) => usdPerMonth > 0),
    ],
    trafficUsdPerMonth: traffic,
    usdPerMonth: machines + traffic,
    gbPerMonth: inGb + outGb,
    meanLoad,
    prices: { region: prices.region, date: prices.date, source: prices.source },
    ...(model && {
      tokens: {
        model: model.model,
        usdPerMonth:
          ((demand.inputTokensPerSec * model.input +
            (demand.outputTokensPerSec + demand.hiddenTokensPerSec) * model.output) *
            misses *
            month) /
          1e6,
        date: model.date,
        source: model.source,
      },
    }),
  }
}

function tiered(gb: number, tiers: TrafficPrices['egress']): number {
  let [from, usd] = [0, 0]
  for (const { upToGb, gb: price } of tiers) {
    usd += Math.max(0, Math.min(gb, upToGb) - from) * price
    from = upToGb
  }
  return usd
}
