/**
 * Ranks the gateways of a run, and says which of their differences are proven: of each pair the P50 and the P99, by
 * pairs of blocks, with the test of the gate. All that is called proven errs with one probability (Holm). Only the
 * stamps of the provider are compared, which mean the same behind every gateway; where not all answers have them, the
 * latencies are, whose differences are those of the overheads, because all gateways have one provider. A machine that
 * is short of CPU forbids no proof: the blocks of a pair meet it alike, and which of them comes first is drawn.
 */
import type { Ranking, Run } from '../report/schema.ts'
import { holm } from '../stats/gate.ts'
import { type BlockPair, pairedDifference, worseThanP } from '../stats/paired.ts'
import { MIN_BLOCKS } from '../stats/share-interval.ts'
import { formatShare } from '../units.ts'
import { blockPairs, reader } from './blocks.ts'
import { findReading } from './judge-overhead.ts'

const QUANTILES = { p50: 0.5, p99: 0.99 } as const
type Quantile = keyof typeof QUANTILES

/** With more failed requests what is left of an arm is not what it does. */
const MOST_FAILED = 0.01
const TAIL = 0.025

/**
 * Of everything that is called proven together. Ten times what a FAIL may err: nobody's build breaks by it, and of the
 * fewest blocks the signs alone cannot prove more.
 */
const ALPHA = 0.01

/**
 * The fewest blocks on each arm of which any difference can be proven: with few of them the signs of all decide (2 of
 * 2^blocks for both sides), and the first of all comparisons must be as sure as Holm asks for.
 */
export function fewestBlocksToRank(gateways: number): number {
  const comparisons = gateways * (gateways - 1)
  return Math.max(MIN_BLOCKS, Math.ceil(1 + Math.log2(comparisons / ALPHA)))
}

interface Ranked {
  run: Run
  p50: number
  p99: number
}

type Difference = Ranking['differences'][number]

/** Undefined where there are not two to compare. `alpha`: the probability that any of what is proven is not so. */
export function rankGateways(runs: readonly Run[], alpha = ALPHA): Ranking | undefined {
  if (runs.length < 2) return undefined
  const there = runs.filter(({ dropped, totals }) => !dropped && totals.successful > 0)
  const stamped = there.every((run) => findReading(run, 'provider-stamped') !== undefined)
  const ranked = there.flatMap((run) => readingOf(run, stamped)).toSorted((a, b) => a.p50 - b.p50)
  const read = reader(stamped ? 'provider-stamped' : 'latency')
  const compared = pairsOf(ranked).flatMap(([a, b]) => {
    return (['p50', 'p99'] as const).map((quantile) => compare(a, b, quantile, read))
  })
  const proven = holm(
    compared.map(
      ({ p }) =>
        (each: number) =>
          p !== null && p <= each,
    ),
    alpha,
  )
  const differences = compared.map((one, index) => ({ ...one, proven: proven[index] === true }))
  return {
    of: stamped ? 'overhead' : 'latency',
    errorProbability: alpha,
    gateways: ranked.map(({ run: { name }, p50, p99 }) => ({
      ...{ name, p50, p99 },
      rankP50: placesOf(name, 'p50', ranked.length, differences),
      rankP99: placesOf(name, 'p99', ranked.length, differences),
    })),
    differences,
  }
}

function readingOf(run: Run, stamped: boolean): Ranked[] {
  const { p50, p99 } = (stamped ? findReading(run, 'provider-stamped')?.totalMs : run.latencyMs) ?? {}
  return p50 === undefined || p99 === undefined ? [] : [{ run, p50, p99 }]
}

function pairsOf<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b): [T, T] => [a, b]))
}

function compare(
  a: Ranked,
  b: Ranked,
  quantile: Quantile,
  read: ReturnType<typeof reader>,
): Omit<Difference, 'proven'> {
  const [lower, higher] = a[quantile] <= b[quantile] ? [a, b] : [b, a]
  const pairs = blockPairs(lower.run, higher.run, read)
    .map(({ baseline, gateway }): BlockPair => ({ a: baseline, b: gateway }))
    .filter((pair) => pair.a.values.count > 0 && pair.b.values.count > 0)
  const about = {
    ...{ quantile, lower: lower.run.name, higher: higher.run.name },
    differenceMs: rounded((higher[quantile] - lower[quantile]) * 1_000),
  }
  const why = whyUnknown(lower.run, higher.run, pairs.length)
  if (why !== null) return { ...about, ci95: null, p: null, why }
  const share = QUANTILES[quantile]
  const { lowerUs, upperUs } = pairedDifference(pairs, share, TAIL)
  const known = Number.isFinite(lowerUs) && Number.isFinite(upperUs)
  // Which of the two is the higher one was found by looking: the P is of both sides.
  const p = Math.min(1, 2 * worseThanP(pairs, share, (us) => us))
  return { ...about, ci95: known ? [rounded(lowerUs), rounded(upperUs)] : null, p: Number(p.toPrecision(3)), why: null }
}

function whyUnknown(lower: Run, higher: Run, pairs: number): string | null {
  if (higher.client.verdict === 'saturated') return 'the client was saturated: its own delays are in the readings'
  const failing = [lower, higher].find(({ totals }) => totals.failed > MOST_FAILED * totals.sent)
  if (failing) {
    return `${formatShare(failing.totals.failed / failing.totals.sent)} of the requests failed through ${failing.name}`
  }
  return pairs < MIN_BLOCKS ? `too few pairs of blocks: ${pairs} of at least ${MIN_BLOCKS}` : null
}

/** Microseconds in milliseconds. */
function rounded(us: number): number {
  return Math.round(us) / 1_000
}

/** The places that a gateway has at best and at worst, by what is proven. */
function placesOf(name: string, of: Quantile, count: number, differences: readonly Difference[]): [number, number] {
  const proven = differences.filter(({ quantile, proven: sure }) => sure && quantile === of)
  const best = 1 + proven.filter(({ higher }) => higher === name).length
  return [best, count - proven.filter(({ lower }) => lower === name).length]
}
