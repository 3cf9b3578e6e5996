/**
 * Goodput: the share of requests that were answered within every target that a run has. Targets are those of the SLO
 * that it was judged by, else of the categories that its workload mixes, else the limits on durations that were asked
 * for. Where two of these are not known of the same request, one that misses both counts twice, and it is a lower
 * bound.
 */
import type { Run } from '../report/schema.ts'
import { isBlockMetric, isRequestMetric } from '../slo/metrics.ts'
import { exceedance } from '../stats/gate-block.ts'
import { counted, formatLimit } from '../units.ts'
import { gateBlocks, hasValues, reader } from './blocks.ts'

export interface Goodput {
  share: number
  exact: boolean
  /** What the requests are within: 'chat-short', 'the targets of 3 categories', 'latency 200 ms'. */
  within: string
}

/** Undefined where the run has no target. */
export function goodputOf(run: Run): Goodput | undefined {
  return ofSlo(run) ?? ofCategories(run) ?? ofLimits(run)
}

function ofSlo({ slo = [] }: Run): Goodput | undefined {
  const known = slo.flatMap(({ category, requests, goodput }) => (goodput ? [{ category, requests, ...goodput }] : []))
  if (known.length === 0 || known.length < slo.length) return undefined
  const requests = sum(known.map((one) => one.requests))
  return {
    share: sum(known.map((one) => one.share * one.requests)) / requests,
    exact: known.every(({ exact }) => exact),
    within: namesOf(known.map(({ category }) => category)),
  }
}

function ofCategories({ categories = [] }: Run): Goodput | undefined {
  const sent = sum(categories.map((category) => category.sent))
  if (sent === 0) return undefined
  const within = sum(categories.flatMap(({ blocks }) => blocks.map((block) => block.within)))
  return { share: within / sent, exact: true, within: namesOf(categories.map(({ name }) => name)) }
}

function namesOf(names: readonly string[]): string {
  return names.length === 1 ? (names[0] ?? '') : `the targets of ${counted(names.length, 'category', 'categories')}`
}

/** Of several limits on one duration the one on its highest quantile is a target of each request. */
function ofLimits(run: Run): Goodput | undefined {
  const limits = new Map<string, { quantile: number; limitMs: number }>()
  for (const { metric, limit: limitMs } of run.gate?.checks ?? []) {
    const [, of = '', digits] = /^(\w+)\.p([\d.]+)$/.exec(metric) ?? []
    const quantile = Number(digits)
    if (isBlockMetric(of) && isRequestMetric(of) && quantile > (limits.get(of)?.quantile ?? 0)) {
      limits.set(of, { quantile, limitMs })
    }
  }
  let [sent, over] = [0, 0]
  for (const [of, { limitMs }] of limits) {
    const blocks = isBlockMetric(of) ? gateBlocks(run, reader(of)) : []
    if (!hasValues(blocks)) return undefined
    const shares = blocks.map((block) => exceedance(block, limitMs * 1_000, true))
    sent = Math.max(sent, sum(shares.map(({ n }) => n)))
    over += sum(shares.map((share) => share.over))
  }
  if (sent === 0) return undefined
  return {
    share: Math.max(0, 1 - over / sent),
    exact: limits.size === 1,
    within: [...limits].map(([of, { limitMs }]) => `${of} ${formatLimit(limitMs)}`).join(' and '),
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
