/**
 * The threshold grammar. This file only parses; src/verdict/thresholds.ts judges runs by thresholds.
 *
 *   threshold ::= metric op limit                        spaces are free
 *   metric    ::= [ "delta." ] duration "." quantile | "overhead." part "." quantile | figure
 *   duration  ::= "overhead", or a duration of metrics.ts that thresholds may name, such as "latency"
 *   part      ::= a part of the overhead of metrics.ts, such as "routing"
 *   quantile  ::= "p" number                             above 0, below 100: p50, p99.9
 *   figure    ::= a figure of metrics.ts, such as "errors.rate"
 *   op        ::= "<" | "<=" | ">" | ">="
 *   limit     ::= number unit
 *   unit      ::= "us" | "ms" | "s" | "m"                a duration; of a delta it is a difference
 *               | "%"                                    a share; of a delta it is relative to the baseline
 *               | "x"                                    times the baseline's, of a duration
 *               | "" | "k" | "M"                         a rate per second
 *
 * A duration has an upper limit, so have errors.rate and answers.changed; goodput and throughput have a lower one. The
 * other way round is refused: it would pass what is bad.
 */
import { failure, type Result, success } from '../errors.ts'
import { parseCount, parseDurationMs } from '../units.ts'
import { type BudgetedComponent, isBudgetedComponent } from './components.ts'
import { type DurationMetric, FIGURES, type FigureMetric, isDuration, isFigure } from './metrics.ts'

type Op = '<' | '<=' | '>' | '>='

export type Threshold = { text: string; metric: string; op: Op } & (
  | { kind: 'quantile'; of: DurationMetric; quantile: number; limitUs: number }
  /** A part of the overhead, as the gateway reports it. */
  | { kind: 'component'; of: BudgetedComponent; quantile: number; limitUs: number }
  /** The quantile of the gateway minus that of the baseline. */
  | { kind: 'delta'; of: DurationMetric; quantile: number; limitUs: number }
  /** The same difference relative to the baseline: 0.1 is a tenth more. */
  | { kind: 'ratio'; of: DurationMetric; quantile: number; limitShare: number }
  | { kind: 'figure'; of: FigureMetric; limit: number }
)

/** Why a text is no threshold. `unknown` holds the name of a metric that does not exist. */
export interface ThresholdFailure {
  why: string
  unknown?: string
}

type Parsed = Result<Threshold, ThresholdFailure>

const FORM = /^\s*([A-Za-z][\w.]*)\s*(<=|>=|<|>)\s*(\S+(?:\s*\S+)?)\s*$/
const QUANTILE = /^p(\d{1,2}(?:\.\d{1,4})?|999)$/

export function parseThreshold(text: string): Parsed {
  const [, metric, op, limit] = FORM.exec(text) ?? []
  if (metric === undefined || op === undefined || limit === undefined) {
    return failure("not of the form 'metric < limit', such as 'overhead.p99<7ms'")
  }
  const common = { text: text.trim(), metric, op: op as Op }
  if (isFigure(metric)) return figure(common, metric, limit)
  const delta = metric.startsWith('delta.')
  const [of = '', ...rest] = (delta ? metric.slice(6) : metric).split('.')
  const [part = ''] = rest
  if (of === 'overhead' && !delta && isBudgetedComponent(part))
    return component(common, part, rest.slice(1).join('.'), limit)
  const quantile = quantileOf(rest.join('.'))
  if (!isDuration(of) || quantile === undefined) {
    return unknownMetric(metric)
  }
  const wrong = wrongDirection(common, limit)
  if (wrong) return wrong
  return delta ? difference(common, of, quantile, limit) : duration(common, of, quantile, limit)
}

type Common = Pick<Threshold, 'text' | 'metric' | 'op'>

function unknownMetric(metric: string): Parsed {
  return { ok: false, why: `there is no metric '${metric}'`, unknown: metric }
}

/** A duration has no lower limit. */
function wrongDirection({ metric, op }: Common, limit: string): Parsed | undefined {
  return op.startsWith('>') ? failure(`${metric} has an upper limit: write '${metric}<${limit}'`) : undefined
}

function component(common: Common, of: BudgetedComponent, quantileText: string, limit: string): Parsed {
  const { metric } = common
  const quantile = quantileOf(quantileText)
  if (quantile === undefined) return unknownMetric(metric)
  const ms = parseDurationMs(limit)
  if (ms === undefined || ms <= 0) return failure(`'${limit}' is not a duration above 0, such as 0.5ms`)
  return wrongDirection(common, limit) ?? success({ ...common, kind: 'component', of, quantile, limitUs: ms * 1_000 })
}

function duration(common: Common, of: DurationMetric, quantile: number, limit: string): Parsed {
  const times = /^(\d+(?:\.\d+)?)\s*x$/.exec(limit)?.[1]
  if (times !== undefined) {
    return Number(times) >= 1
      ? success({ ...common, kind: 'ratio', of, quantile, limitShare: Number((Number(times) - 1).toFixed(9)) })
      : failure(`${limit} of the baseline cannot be judged: give at least 1x`)
  }
  const ms = parseDurationMs(limit)
  if (ms === undefined || ms <= 0) {
    return failure(`'${limit}' is not a duration above 0, such as 7ms, nor times the baseline, such as 1.1x`)
  }
  return success({ ...common, kind: 'quantile', of, quantile, limitUs: ms * 1_000 })
}

function difference(common: Common, of: DurationMetric, quantile: number, limit: string): Parsed {
  const share = shareOf(limit)
  if (share !== undefined) return success({ ...common, kind: 'ratio', of, quantile, limitShare: share })
  const ms = parseDurationMs(limit)
  if (ms === undefined) return failure(`'${limit}' is neither a duration, such as 5ms, nor a share, such as 10%`)
  return success({ ...common, kind: 'delta', of, quantile, limitUs: ms * 1_000 })
}

function figure(common: Common, of: FigureMetric, limit: string): Parsed {
  const { unit, better } = FIGURES[of]
  const { op } = common
  if (op.startsWith('>') !== (better === 'higher')) {
    const right = better === 'higher' ? '>' : '<'
    return failure(`${of} has ${better === 'higher' ? 'a lower' : 'an upper'} limit: write '${of}${right}${limit}'`)
  }
  if (unit === 'per second') {
    const rate = parseCount(limit)
    if (rate === undefined || rate <= 0) return failure(`'${limit}' is not a rate above 0, such as 100 or 2k`)
    return success({ ...common, kind: 'figure', of, limit: rate })
  }
  const share = shareOf(limit)
  if (share === undefined) return failure(`'${limit}' is not a share, such as 0.1%`)
  if (share <= 0 || share >= 1) {
    const example = better === 'higher' ? '99.9%' : '0.1%'
    return failure(`no number of requests can prove ${limit}: give a share between 0 and 100 %, such as ${example}`)
  }
  return success({ ...common, kind: 'figure', of, limit: share })
}

function quantileOf(text: string): number | undefined {
  const digits = QUANTILE.exec(text)?.[1]
  if (digits === undefined) return undefined
  const quantile = digits === '999' ? 0.999 : Number((Number(digits) / 100).toFixed(6))
  return quantile > 0 && quantile < 1 ? quantile : undefined
}

/** '0.1%' -> 0.001. */
function shareOf(text: string): number | undefined {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text)?.[1]
  return percent === undefined ? undefined : Number((Number(percent) / 100).toFixed(9))
}
