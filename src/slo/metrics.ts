/**
 * The metrics of a run, one table for each kind: the durations of its requests, single figures, and the parts of a
 * gateway's overhead. What records, reports, judges, compares or prints metrics follows these tables. How a duration is
 * read from a request stands in src/load/metric-samples.ts, and how a figure is read from a report in
 * src/verdict/figures.ts.
 */

import { BUDGETED_COMPONENTS } from './components.ts'

export type Unit = 'ms' | 'share' | 'per second'

/**
 * What gives one sample of a duration: every request that ended; one that was answered or gave up at a deadline; one
 * that was answered; an answered stream; a gap between two tokens of a stream; or, where the provider stamps its
 * tokens, the first token of an answered stream, a later one, or any.
 */
type SampleOf = 'ended' | 'timed' | 'answered' | 'stream' | 'gap' | 'first token' | 'later token' | 'token'

/** When a table of one run shows a duration, provided that the run has samples of it. */
export type Shown = 'always' | 'open loop' | 'streams or asked for' | 'no keep-alive' | 'with the overhead'

export interface DurationSpec {
  /** Its row in tables, where it differs also that of an open loop. */
  label: string
  openLabel?: string
  /** The head of its column. */
  short: string
  shown: Shown
  unit: 'ms'
  /** Significant digits of its histogram: 3 digits are 2 ms wide at 2 s. */
  digits: 3 | 4
  sampleOf: SampleOf
  /** Recorded block by block, which every verdict and every comparison of two runs needs. */
  perBlock: boolean
  /** Whether thresholds may name it. */
  threshold: boolean
  /** Whether each level of a sweep holds it. */
  sweep: boolean
  /** Whether `kt bench history` may show it. */
  history: boolean
}

/** In the order of a report, where the name of a duration ends in `Ms`. */
export const METRICS = {
  latency: {
    label: 'Latency',
    openLabel: 'Latency, from intended',
    short: 'Latency',
    shown: 'always',
    unit: 'ms',
    digits: 4,
    sampleOf: 'timed',
    perBlock: true,
    threshold: true,
    sweep: true,
    history: true,
  },
  service: {
    label: 'Service, from sent',
    short: 'Service',
    shown: 'open loop',
    unit: 'ms',
    digits: 4,
    sampleOf: 'timed',
    perBlock: false,
    threshold: false,
    sweep: false,
    history: false,
  },
  connect: {
    label: 'Connect',
    short: 'Connect',
    shown: 'no keep-alive',
    unit: 'ms',
    digits: 3,
    sampleOf: 'ended',
    perBlock: false,
    threshold: false,
    sweep: false,
    history: false,
  },
  ttfb: {
    label: 'Time to first byte',
    short: 'TTFB',
    shown: 'streams or asked for',
    unit: 'ms',
    digits: 4,
    sampleOf: 'answered',
    perBlock: true,
    threshold: true,
    sweep: false,
    history: true,
  },
  ttft: {
    label: 'Time to first token',
    short: 'TTFT',
    shown: 'always',
    unit: 'ms',
    digits: 4,
    sampleOf: 'stream',
    perBlock: true,
    threshold: true,
    sweep: true,
    history: true,
  },
  ttftFromIntended: {
    label: '  from intended',
    short: 'TTFT, intended',
    shown: 'open loop',
    unit: 'ms',
    digits: 4,
    sampleOf: 'stream',
    perBlock: false,
    threshold: false,
    sweep: false,
    history: false,
  },
  tpot: {
    label: 'Time per output token',
    short: 'TPOT',
    shown: 'always',
    unit: 'ms',
    digits: 3,
    sampleOf: 'stream',
    perBlock: true,
    threshold: true,
    sweep: true,
    history: true,
  },
  interToken: {
    label: 'Inter-token, by event',
    short: 'ITL',
    shown: 'always',
    unit: 'ms',
    digits: 3,
    sampleOf: 'gap',
    perBlock: true,
    threshold: true,
    sweep: true,
    history: true,
  },
  addedTtft: {
    label: 'Added to the first token',
    short: 'Added TTFT',
    shown: 'with the overhead',
    unit: 'ms',
    digits: 3,
    sampleOf: 'first token',
    perBlock: true,
    threshold: true,
    sweep: false,
    history: false,
  },
  addedPerToken: {
    label: 'Added to each token',
    short: 'Added TPOT',
    shown: 'with the overhead',
    unit: 'ms',
    digits: 3,
    sampleOf: 'later token',
    perBlock: true,
    threshold: true,
    sweep: false,
    history: false,
  },
  hold: {
    label: 'Hold of tokens',
    short: 'Hold',
    shown: 'with the overhead',
    unit: 'ms',
    digits: 3,
    sampleOf: 'token',
    perBlock: true,
    threshold: true,
    sweep: false,
    history: false,
  },
} as const satisfies Record<string, DurationSpec>

export type Metric = keyof typeof METRICS

type MetricsWith<Column extends Exclude<keyof DurationSpec, 'openLabel'>, Value> = {
  [M in Metric]: (typeof METRICS)[M][Column] extends Value ? M : never
}[Metric]

export type BlockMetric = MetricsWith<'perBlock', true>
/** A block of a report holds latency in a field of its own, and these beside it. */
export type OtherBlockMetric = Exclude<BlockMetric, 'latency'>
export type GapMetric = MetricsWith<'sampleOf', 'gap'>
/** What the stamps of tokens tell (src/overhead/token-delays.ts). */
export type StampMetric = MetricsWith<'shown', 'with the overhead'>
type ThresholdMetric = MetricsWith<'threshold', true>
export type SweepMetric = MetricsWith<'sweep', true>
export type HistoryMetric = MetricsWith<'history', true>

export const METRIC_NAMES = Object.keys(METRICS) as Metric[]
export const OTHER_BLOCK_METRICS = METRIC_NAMES.filter(
  (name): name is OtherBlockMetric => METRICS[name].perBlock && name !== 'latency',
)
export const SWEEP_METRICS = METRIC_NAMES.filter((name): name is SweepMetric => METRICS[name].sweep)
export const HISTORY_METRICS = METRIC_NAMES.filter((name): name is HistoryMetric => METRICS[name].history)
export const STAMP_METRICS = METRIC_NAMES.filter(isStampMetric)
const THRESHOLD_METRICS = METRIC_NAMES.filter((name): name is ThresholdMetric => METRICS[name].threshold)

export function isBlockMetric(name: string): name is BlockMetric {
  return isMetric(name) && METRICS[name].perBlock
}

export function isGapMetric(name: Metric): name is GapMetric {
  return METRICS[name].sampleOf === 'gap'
}

/** A metric of which each request has one sample, known when it ends. */
export type RequestMetric = Exclude<Metric, GapMetric | StampMetric>

export function isRequestMetric(name: Metric): name is RequestMetric {
  return !isGapMetric(name) && !isStampMetric(name)
}

export function isStampMetric(name: Metric): name is StampMetric {
  return METRICS[name].shown === 'with the overhead'
}

/** Whether an answer gives more than one sample. */
export function isOfTokens(name: Metric): boolean {
  return isGapMetric(name) || METRICS[name].sampleOf === 'later token' || METRICS[name].sampleOf === 'token'
}

export function isStreamOnly(name: Metric): boolean {
  return METRICS[name].sampleOf === 'stream' || isOfTokens(name) || isStampMetric(name)
}

export function isMetric(name: string): name is Metric {
  return Object.hasOwn(METRICS, name)
}

/** The durations that thresholds may name. The overhead has its own readings, see src/verdict/judge-overhead.ts. */
export type DurationMetric = 'overhead' | ThresholdMetric
const DURATIONS: readonly DurationMetric[] = ['overhead', ...THRESHOLD_METRICS]

interface FigureSpec {
  /** A share is judged by block. */
  unit: 'share' | 'per second'
  better: 'lower' | 'higher'
  label: string
  /** Its name in a comparison of two runs; null where it is not compared. */
  comparedAs: string | null
  history: boolean
}

/** Single figures of a run. */
export const FIGURES = {
  'errors.rate': {
    unit: 'share',
    better: 'lower',
    label: 'Error rate',
    comparedAs: 'errors.rate',
    history: true,
  },
  'answers.changed': {
    unit: 'share',
    better: 'lower',
    label: 'Changed answers',
    comparedAs: null,
    history: false,
  },
  goodput: {
    unit: 'share',
    better: 'higher',
    label: 'Goodput',
    comparedAs: 'goodput',
    history: false,
  },
  'throughput.rps': {
    unit: 'per second',
    better: 'higher',
    label: 'Requests/sec',
    comparedAs: 'throughput.requests',
    history: true,
  },
  'throughput.tokens': {
    unit: 'per second',
    better: 'higher',
    label: 'Tokens/sec',
    comparedAs: 'throughput.tokens',
    history: true,
  },
} as const satisfies Record<string, FigureSpec>
export type FigureMetric = keyof typeof FIGURES

type FiguresWith<Column extends keyof FigureSpec, Value> = {
  [F in FigureMetric]: (typeof FIGURES)[F][Column] extends Value ? F : never
}[FigureMetric]

type HistoryFigure = FiguresWith<'history', true>
type ComparedFigure = FiguresWith<'comparedAs', string>

const FIGURE_NAMES = Object.keys(FIGURES) as FigureMetric[]
export const HISTORY_FIGURES = FIGURE_NAMES.filter((name): name is HistoryFigure => FIGURES[name].history)
/** Rates stand before shares. */
export const COMPARED_FIGURES = (['per second', 'share'] as const).flatMap((unit) =>
  FIGURE_NAMES.filter(
    (name): name is ComparedFigure => FIGURES[name].unit === unit && FIGURES[name].comparedAs !== null,
  ),
)

/** The unit of 'ttft.p99', 'overhead.routing.p50', 'errors.rate'. Whatever is no figure is a duration. */
export function unitOf(name: string): Unit {
  return isFigure(name) ? FIGURES[name].unit : 'ms'
}

const SHOWN_QUANTILES = ['p50', 'p90', 'p95', 'p99', 'p99.9']

/** Every metric that messages suggest. A threshold may use any other quantile (p75) too. */
export const KNOWN_METRICS: readonly string[] = [
  ...DURATIONS.flatMap((metric) => SHOWN_QUANTILES.map((quantile) => `${metric}.${quantile}`)),
  ...DURATIONS.flatMap((metric) => SHOWN_QUANTILES.map((quantile) => `delta.${metric}.${quantile}`)),
  ...BUDGETED_COMPONENTS.flatMap((part) => SHOWN_QUANTILES.map((quantile) => `overhead.${part}.${quantile}`)),
  ...FIGURE_NAMES,
]

/** The same list in words. */
export const METRICS_IN_WORDS = [
  `${DURATIONS.join(', ')}: each with .p50 .p90 .p95 .p99 .p99.9 (or another quantile), also as delta.<metric>`,
  `overhead.<part>, as the gateway reports it: ${BUDGETED_COMPONENTS.join(', ')}`,
  ...FIGURE_NAMES,
]

export function isDuration(name: string): name is DurationMetric {
  return (DURATIONS as readonly string[]).includes(name)
}

export function isFigure(name: string): name is FigureMetric {
  return Object.hasOwn(FIGURES, name)
}
