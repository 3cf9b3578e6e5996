/**
 * Whether a report agrees with itself: every stored figure must follow from its histogram, and the blocks must add up
 * to the whole. A report that was edited, or cut and pasted, is refused rather than judged.
 */
import { METRIC_NAMES, OTHER_BLOCK_METRICS } from '../slo/metrics.ts'
import type { Histogram } from '../stats/histogram.ts'
import { formatMs } from '../units.ts'
import { type EncodedHistogram, readHistogram } from './histogram-text.ts'
import type { ArmResult, BenchReport, Outcomes } from './schema.ts'

/** Figures are stored in milliseconds with three decimals. */
const ROUNDING_MS = 0.0011

/** The first contradiction found, in words; undefined when there is none. */
export function findContradiction({ arms }: BenchReport): string | undefined {
  for (const [index, arm] of arms.entries()) {
    const at = index === 0 ? '' : `arms[${index}].`
    const found =
      armContradiction(arm, at) ??
      blocksContradiction(arm, at) ??
      categoriesContradiction(arm) ??
      agreementContradiction(arm)
    if (found) return found
  }
  return undefined
}

function armContradiction(arm: ArmResult, at: string): string | undefined {
  const { totals } = arm
  if (sum(totals.outcomes) !== totals.sent) return `${at}totals: the outcomes do not add up to ${totals.sent} sent`
  if ((totals.outcomes.OK ?? 0) !== totals.successful) return `${at}totals.successful is not the count of OK`
  for (const metric of METRIC_NAMES) {
    const key = `${metric}Ms` as const
    const stored = arm[key]
    if (!stored) continue
    const found = histogramContradiction(stored.histogram, stored, `${at}${key}`)
    if (found) return found
  }
  for (const { definition, totalMs, count, histogram } of arm.overhead) {
    const { ci95: _, ...quantiles } = totalMs
    const found = histogramContradiction(histogram, { count, ...quantiles }, `${at}overhead ${definition}`)
    if (found) return found
  }
  return undefined
}

/** The blocks of an arm must add up to the arm, because verdicts rest on the blocks. */
function blocksContradiction(arm: ArmResult, at: string): string | undefined {
  const { name, blocks } = arm
  if (blocks.some(({ index }, i) => index <= (blocks[i - 1]?.index ?? -1)))
    return `the blocks of ${name} are not in order`
  const wrong = blocks.find((block) => sum(block.outcomes) !== block.sent)
  if (wrong) return `block ${wrong.index} of ${name}: the outcomes do not add up to ${wrong.sent} sent`
  const sent = blocks.reduce((total, block) => total + block.sent, 0)
  if (sent !== arm.totals.sent) return `${at}totals: the blocks add up to ${sent} sent, not ${arm.totals.sent}`
  const latencies = countOf(blocks.map((block) => block.latency))
  if (latencies === undefined) return `a block of ${name} has a histogram that does not decode`
  if (latencies !== (arm.latencyMs?.count ?? 0)) return `${at}latencyMs: the blocks hold ${latencies} values`
  for (const metric of OTHER_BLOCK_METRICS) {
    const parts = blocks.flatMap((block) => block.metrics?.[metric] ?? [])
    if (parts.length === 0) continue
    const values = countOf(parts)
    if (values === undefined) return `a block of ${name} has a histogram that does not decode`
    const whole = arm[`${metric}Ms`]?.count ?? 0
    if (values !== whole) return `${at}${metric}Ms: the blocks hold ${values} values, not ${whole}`
  }
  for (const { definition, count } of arm.overhead) {
    const readings = countOf(blocks.flatMap((block) => block.overhead[definition] ?? []))
    if (readings === undefined) return `a block of ${name} has a histogram that does not decode`
    if (readings !== count) return `${at}overhead ${definition}: the blocks hold ${readings} values, not ${count}`
  }
  return undefined
}

/** The blocks of a category must add up to it, and all categories to no more than the run. */
function categoriesContradiction({ categories = [], totals }: ArmResult): string | undefined {
  for (const { name, sent, outcomes, latencyMs, ttftMs, blocks } of categories) {
    const at = `categories ${name}`
    if (sum(outcomes) !== sent) return `${at}: the outcomes do not add up to ${sent} sent`
    const wrong = blocks.find((block) => sum(block.outcomes) !== block.sent || block.within > (block.outcomes.OK ?? 0))
    if (wrong) return `${at}: block ${wrong.index} does not add up`
    const inBlocks = blocks.reduce((total, block) => total + block.sent, 0)
    if (inBlocks !== sent) return `${at}: the blocks add up to ${inBlocks} sent, not ${sent}`
    for (const [key, whole] of [['latency', latencyMs] as const, ['ttft', ttftMs] as const]) {
      const values = countOf(blocks.map((block) => block[key]))
      if (values !== (whole?.count ?? 0)) return `${at} ${key}Ms: the blocks hold ${values} values`
      const found = whole && histogramContradiction(whole.histogram, whole, `${at} ${key}Ms`)
      if (found) return found
    }
  }
  const classified = categories.reduce((total, { sent }) => total + sent, 0)
  return classified > totals.sent ? `categories: ${classified} requests of ${totals.sent} sent` : undefined
}

function agreementContradiction({ agreement }: ArmResult): string | undefined {
  if (!agreement || agreement.changed === null) return undefined
  const { compared, changed, blocks } = agreement
  const inBlocks = blocks.reduce((total, block) => total + block.compared, 0)
  const changedInBlocks = blocks.reduce((total, block) => total + block.changed, 0)
  const fits = inBlocks === compared && changedInBlocks === changed
  return fits ? undefined : `agreement: the blocks add up to ${changedInBlocks} changed of ${inBlocks}`
}

interface Figures {
  count: number
  mean?: number
  p50: number
  p90: number
  p95: number
  p99: number
  p999?: number
  max: number
}

function histogramContradiction(encoded: EncodedHistogram, figures: Figures, at: string): string | undefined {
  const histogram = decoded(encoded)
  if (!histogram) return `${at}: the histogram does not decode`
  if (histogram.count !== figures.count)
    return `${at}: count is ${figures.count}, the histogram holds ${histogram.count}`
  const expected: [string, number | undefined, number][] = [
    ['mean', figures.mean, histogram.meanUs],
    ['p50', figures.p50, histogram.quantileUs(0.5)],
    ['p90', figures.p90, histogram.quantileUs(0.9)],
    ['p95', figures.p95, histogram.quantileUs(0.95)],
    ['p99', figures.p99, histogram.quantileUs(0.99)],
    ['p999', figures.p999, histogram.quantileUs(0.999)],
    ['max', figures.max, histogram.maxUs],
  ]
  for (const [name, stored, us] of expected) {
    if (stored !== undefined && Math.abs(stored - us / 1_000) > ROUNDING_MS) {
      return `${at}: ${name} is ${formatMs(stored)} ms, the histogram says ${formatMs(us / 1_000)} ms`
    }
  }
  return undefined
}

function decoded(encoded: EncodedHistogram): Histogram | undefined {
  try {
    return readHistogram(encoded)
  } catch {
    return undefined
  }
}

function countOf(parts: readonly EncodedHistogram[]): number | undefined {
  let count = 0
  for (const part of parts) {
    const histogram = decoded(part)
    if (!histogram) return undefined
    count += histogram.count
  }
  return count
}

function sum(outcomes: Outcomes): number {
  return Object.values(outcomes).reduce((total, count) => total + count, 0)
}
