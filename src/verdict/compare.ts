/**
 * Two reports side by side, as `kt bench compare` prints them and as its --json gives them. Mode `overhead` judges a
 * run through a gateway against a direct baseline by the budget; mode `regression` judges a new gateway against an
 * old one by the regression limit. Differences of quantiles are shown; the verdict rests on the reading named in
 * `judgedBy` (verdict.ts).
 */
import { EXIT, type ExitCode, exitOf, type Inconclusive } from '../errors.ts'
import { explainDisagreement } from '../overhead/disagreement.ts'
import {
  COMPARE_SCHEMA,
  type ComparedOverhead,
  type ComparedRow,
  type ComparedRun,
  type Comparison,
} from '../report/compare-schema.ts'
import type { DurationSummary, OverheadResult, Run } from '../report/schema.ts'
import { otherTokenBasis } from '../report/token-basis.ts'
import {
  type BlockMetric,
  COMPARED_FIGURES,
  FIGURES,
  isBlockMetric,
  isOfTokens,
  isStreamOnly,
  METRIC_NAMES,
  METRICS,
} from '../slo/metrics.ts'
import { DRIFT } from '../stats/gate.ts'
import { Histogram } from '../stats/histogram.ts'
import { pairedDifference } from '../stats/paired.ts'
import { differenceOf, quantileBounds } from '../stats/quantile-interval.ts'
import { blockPairs, gateBlocks, hasValues, type ReadBlock, reader } from './blocks.ts'
import { componentVerdictIn } from './components.ts'
import { sharedDefinition } from './delta.ts'
import { endpointWords } from './endpoints.ts'
import { FIGURE_READINGS } from './figures.ts'
import { goodputOf } from './goodput.ts'
import { bestReading, isFloor } from './judge-overhead.ts'
import { estimateNoise, type Noise } from './noise.ts'
import { comparesEndpoints, differencesBetween, type Mode, type Pair, type RestsOn, toPair } from './pair.ts'
import { clientWord } from './rate.ts'
import { judgePair, type Rules } from './verdict.ts'

export type { ComparedRow, ComparedRun, Comparison }

type RowJudgement = { [K in 'delta95' | 'verdict']: NonNullable<ComparedRow[K]> }

interface CompareOptions extends Rules {
  files: { baseline: string; gateway: string }
  noGate: boolean
  /** The noise of an A/A run on the same rig. */
  noise?: Noise | undefined
  /** Overrides the mode that follows from the roles in the reports. */
  mode?: Mode | undefined
  /** Budgets that the table shows beside the components, in milliseconds at P99. */
  componentBudgetsMs?: Readonly<Record<string, number>>
}

export function compareReports(baseline: Run, gateway: Run, options: CompareOptions): Comparison {
  const pair = toPair(baseline, gateway, options.mode)
  const differences = differencesBetween(baseline, gateway, restsOn(pair))
  const doubts = doubtsOf(pair)
  const verdict = options.noGate ? undefined : judgePair(pair, differences, options)
  return {
    schema: COMPARE_SCHEMA,
    mode: pair.mode,
    modeWhy: pair.modeWhy,
    pairing: pair.paired ? 'paired' : 'unpaired',
    baseline: runOf(baseline, options.files.baseline),
    gateway: runOf(gateway, options.files.gateway),
    rows: rowsOf(pair),
    overhead: overheadOf(pair, options.componentBudgetsMs ?? {}),
    differences,
    notes: [...turnsNote(pair), ...doubts, ...explainDisagreement(gateway.overhead)],
    ...(doubts.length > 0 ? { doubts } : {}),
    judgedBy: verdict?.judgedBy ?? null,
    noise: options.noise ?? gateway.noise ?? estimateNoise(gateway, 'halves') ?? null,
    gate: verdict?.gate ?? null,
  }
}

function restsOn(pair: Pair): RestsOn {
  if (pair.mode === 'overhead') return bestReading(pair.gateway) ? 'own overhead' : 'latency'
  return comparesEndpoints(pair) && sharedDefinition(pair) ? 'shared overhead' : 'latency'
}

/** A run without a single answer never passes, whatever --inconclusive says. */
export function exitOfComparison({ gate, baseline, gateway }: Comparison, inconclusive?: Inconclusive): ExitCode {
  if (!gate) return EXIT.passed
  const dead = [baseline, gateway].some(({ requests, failed }) => failed === requests)
  return exitOf(gate.verdict, dead ? 'fail' : inconclusive)
}

const QUANTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
] as const

function rowsOf(pair: Pair): ComparedRow[] {
  const { baseline: a, gateway: b } = pair
  const streamed = a.target.stream && b.target.stream
  const durations = METRIC_NAMES.filter(isBlockMetric).filter((metric) => streamed || !isStreamOnly(metric))
  return [
    ...durations.flatMap((metric) =>
      quantileRows(metric, a[`${metric}Ms`], b[`${metric}Ms`], rowJudge(pair, reader(metric))).map((row) => ({
        ...row,
        ...answersOf(pair, (report) => (isOfTokens(metric) ? report.tpotMs : report[`${metric}Ms`])?.count ?? null),
      })),
    ),
    ...COMPARED_FIGURES.filter((figure) => areComparable(figure, a, b)).map((figure) => {
      const [read, { comparedAs, unit }] = [FIGURE_READINGS[figure], FIGURES[figure]]
      const answers = unit === 'per second' ? answersOf(pair, ({ totals }) => totals.successful) : {}
      return { ...row(comparedAs, unit, read(a), read(b)), ...answers }
    }),
  ].filter(({ baseline, gateway }) => baseline !== null || gateway !== null)
}

/** Tokens that were counted alike, and requests within the same targets. */
function areComparable(figure: (typeof COMPARED_FIGURES)[number], a: Run, b: Run): boolean {
  if (figure === 'throughput.tokens') return !otherTokenBasis(a, b)
  return figure !== 'goodput' || goodputOf(a)?.within === goodputOf(b)?.within
}

/** Absent where both sides rest on all of their requests. */
function answersOf({ baseline, gateway }: Pair, countOf: (report: Run) => number | null): Pick<ComparedRow, 'answers'> {
  const [a, b] = [countOf(baseline), countOf(gateway)]
  const all = (a ?? baseline.totals.sent) === baseline.totals.sent && (b ?? gateway.totals.sent) === gateway.totals.sent
  return all ? {} : { answers: { baseline: a, gateway: b } }
}

function quantileRows(
  metric: BlockMetric,
  a: DurationSummary | undefined,
  b: DurationSummary | undefined,
  judge: ReturnType<typeof rowJudge>,
): ComparedRow[] {
  if (!a && !b) return []
  const fewest = Math.min(a?.count ?? Number.POSITIVE_INFINITY, b?.count ?? Number.POSITIVE_INFINITY)
  return QUANTILES.map(([key, q]) => ({
    ...row(`${metric}.${key}`, METRICS[metric].unit, a?.[key] ?? null, b?.[key] ?? null),
    ...(key === 'p50' || key === 'p99'
      ? { iid95: { baseline: a?.iid95[key] ?? null, gateway: b?.iid95[key] ?? null } }
      : {}),
    ...(Math.round(fewest * (1 - q) * 1e6) / 1e6 < 10 ? { fewBeyond: true } : {}),
    ...judge?.(q),
  }))
}

const ALIKE_US = 500

const ALIKE_SHARE = 0.1

/** A difference smaller than this does not matter, however certain it is. */
const SMALL_US = 100

const SMALL_SHARE = 0.01

const TAIL = 0.025

/**
 * Judges any quantile of what `read` gives; undefined where the blocks of a run do not hold it, and where the answers
 * are those of two APIs.
 */
function rowJudge(pair: Pair, read: ReadBlock): ((quantile: number) => RowJudgement) | undefined {
  if (comparesEndpoints(pair)) return undefined
  const before = gateBlocks(pair.baseline, read)
  const after = gateBlocks(pair.gateway, read)
  if (!hasValues(before) || !hasValues(after)) return undefined
  const [a, b] = [before, after].map((blocks) => blocks.map(({ values }) => values).filter(({ count }) => count > 0))
  const pairs = pair.paired ? blockPairs(pair.baseline, pair.gateway, read) : undefined
  const all = Histogram.merge(a ?? [], a?.[0]?.digits)
  return (quantile) => {
    const { lowerUs, upperUs } = pairs
      ? pairedDifference(
          pairs.map(({ baseline, gateway }) => ({ a: baseline, b: gateway })),
          quantile,
          TAIL,
        )
      : differenceOf(quantileBounds(b ?? [], quantile, TAIL), quantileBounds(a ?? [], quantile, TAIL))
    const baselineUs = all.quantileUs(quantile)
    const marginUs = pairs ? 0 : (DRIFT - 1) * baselineUs
    const alikeUs = Math.max(ALIKE_US, ALIKE_SHARE * baselineUs)
    const small = Math.max(SMALL_US, SMALL_SHARE * baselineUs)
    const verdict =
      lowerUs > -small && upperUs < small
        ? 'alike'
        : lowerUs > marginUs
          ? 'worse'
          : upperUs < -marginUs
            ? 'better'
            : lowerUs > -alikeUs && upperUs < alikeUs
              ? 'alike'
              : 'open'
    return { delta95: [orNull(lowerUs), orNull(upperUs)], verdict }
  }
}

function orNull(us: number): number | null {
  return Number.isFinite(us) ? Math.round(us) / 1_000 : null
}

function row(metric: string, unit: ComparedRow['unit'], baseline: number | null, gateway: number | null): ComparedRow {
  const delta = baseline === null || gateway === null ? null : Number((gateway - baseline).toFixed(6))
  const deltaShare = delta === null || !baseline ? null : delta / baseline
  return { metric, unit, baseline, gateway, delta, deltaShare }
}

function overheadOf(
  { baseline, gateway, mode }: Pair,
  componentBudgets: Readonly<Record<string, number>>,
): ComparedOverhead[] {
  const pick = (of: ComparedOverhead['of'], report: Run) => (entry: OverheadResult) => {
    const { definition, source, count, totalMs, note } = entry
    const components = Object.entries(entry.components ?? {}).map(([name, part]) => {
      const budgetMs = componentBudgets[name] ?? null
      const verdict = budgetMs === null ? null : componentVerdictIn(report, name, budgetMs)
      return { name, p50: part.p50, p99: part.p99, budgetMs, verdict }
    })
    return { of, definition, source, count, totalMs, note, ...(components.length > 0 ? { components } : {}) }
  }
  const direct = gateway.baseline ?? (isFloor(baseline) ? baseline : undefined)
  const floor = direct?.overhead.filter((entry) => entry.definition === 'provider-stamped') ?? []
  const old = mode === 'regression' ? baseline.overhead.map(pick('old', baseline)) : []
  return [
    ...old,
    ...gateway.overhead.map(pick('gateway', gateway)),
    ...(mode === 'overhead' ? floor.map(pick('floor', baseline)) : []),
  ]
}

function turnsNote({ paired }: Pair): string[] {
  if (paired) return []
  return [
    'unpaired: the runs were recorded separately, so a change of less than about 15 % can hide in the ' +
      'drift of the machine',
  ]
}

function doubtsOf(pair: Pair): string[] {
  const { baseline, gateway, mode } = pair
  const acrossEndpoints = endpointWords(pair)
  const sides = [
    ['baseline', baseline],
    ['gateway', gateway],
  ] as const
  const otherBasis = otherTokenBasis(baseline, gateway)
  return [
    ...(baseline.role === 'gateway' && mode === 'overhead'
      ? [
          'the baseline was measured through a gateway too: the deltas are between two gateways, the verdict ' +
            'is on the second',
        ]
      : []),
    ...sides.flatMap(([side, { client }]) =>
      clientWord(client) === 'ok'
        ? []
        : [`client of the ${side} run: ${[clientWord(client), ...client.why].join('; ')}`],
    ),
    ...(acrossEndpoints === undefined ? [] : [acrossEndpoints]),
    ...(otherBasis === undefined ? [] : [`tokens are not compared: ${otherBasis}`]),
    ...sides.flatMap(([side, { answers }]) => {
      if (!answers?.suspect) return []
      const { missedTokens, members } = answers.suspect
      return [
        `times of tokens of the ${side} run are suspect: its usage tells ${missedTokens} output tokens that kt did ` +
          `not see; members that it does not know: ${members.join(', ')}`,
      ]
    }),
    ...sides.flatMap(([side, { interrupted }]) => (interrupted ? [`the ${side} run was interrupted`] : [])),
  ]
}

function runOf(report: Run, file: string): ComparedRun {
  return {
    file,
    url: report.url,
    startedAt: report.startedAt,
    ...(report.commit ? { commit: report.commit } : {}),
    ...(report.labels ? { labels: report.labels } : {}),
    requests: report.totals.sent,
    failed: report.totals.failed,
    client: report.client.verdict,
  }
}
