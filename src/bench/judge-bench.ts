/**
 * The gate of a single bench, by the best reading of the overhead that the run carries: P99 overhead against the
 * budget; how much worse than its baseline the gateway is, where the baseline is a gateway too; and the thresholds
 * that were asked for. Of several gateways each is judged. A run straight at the provider has no overhead. With
 * --until-decided the same gate is judged
 * at interim analyses.
 */
import { armsApart } from '../report/runs.ts'
import type { BenchReport, Gate, Run, Verdict } from '../report/schema.ts'
import type { Threshold } from '../slo/threshold.ts'
import { ALPHA_FAIL, ALPHA_PASS, nextAnalysis } from '../stats/gate.ts'
import type { BlockShare } from '../stats/share-interval.ts'
import { type Judge, undecidedCheck } from '../verdict/checks.ts'
import { type Budgets, componentJudges, readBudgets } from '../verdict/components.ts'
import { overheadJudge } from '../verdict/judge-overhead.ts'
import { streamJudges } from '../verdict/judge-stream.ts'
import { type Noise, readNoise } from '../verdict/noise.ts'
import { type Pair, toPair } from '../verdict/pair.ts'
import type { RegressionLimit } from '../verdict/thresholds.ts'
import { judgeRuns, regressionJudge } from '../verdict/verdict.ts'
import type { VerdictOptions } from './options/verdict.ts'

export interface BenchQuestion {
  /** The budget that was asked for. */
  budgetMs: number | undefined
  /** For how long tokens of a stream may be held. */
  holdMs?: number | undefined
  /** The budgets that were asked for, by part of the gateway, at P99. */
  componentsMs?: Readonly<Record<string, number>>
  /** How much worse than the old gateway the new one may be. */
  maxRegression: RegressionLimit | undefined
  thresholds: readonly Threshold[]
  /** Requests that missed a target of their category, by block; undefined where no SLO was asked for. */
  misses?: readonly BlockShare[] | undefined
}

type AskedLimits = Pick<VerdictOptions, 'budget' | 'budget-hold' | 'budget-file' | 'threshold' | 'max-regression'>

/** The question that the options ask, with the files that they name read. */
export function readQuestion(options: AskedLimits & Partial<Pick<VerdictOptions, 'noise'>>): {
  question: BenchQuestion
  budgets: Budgets
  /** The noise of an A/A run on this rig. */
  noise: Noise | undefined
} {
  const budgets = readBudgets(options['budget-file'])
  const byFile = options['budget-file'] !== undefined
  return {
    question: {
      budgetMs: options.budget ?? (byFile ? budgets.totalMs : undefined),
      holdMs: options['budget-hold'],
      componentsMs: byFile ? budgets.components : {},
      maxRegression: options['max-regression'],
      thresholds: options.threshold,
    },
    budgets,
    noise: options.noise === undefined ? undefined : readNoise(options.noise),
  }
}

/**
 * Of each run by itself, under one error probability. Null where nothing was asked: a verdict belongs to a question.
 */
export function judgeBench(runs: Run | readonly Run[], question: BenchQuestion): Gate | null {
  const asked = [runs].flat().map((run) => askedOf(run, question))
  return asked.some(({ others, thresholds }) => others.length + thresholds.length > 0) ? judgeRuns(asked) : null
}

function askedOf(report: Run, question: BenchQuestion) {
  const { budgetMs, componentsMs = {}, maxRegression, thresholds, misses } = question
  const arms = armsApart(report)
  const pair = arms && toPair(arms.baseline, arms.gateway)
  const context = { gateway: report, ...(misses ? { misses } : {}), ...(pair ? { pair } : {}) }
  const direct = pair?.mode === 'overhead' ? pair.baseline : undefined
  const others = [
    budgetMs === undefined ? [] : budgetJudge(report, pair, budgetMs),
    streamJudges(report, direct, { budgetMs, holdMs: question.holdMs }),
    componentJudges(report, componentsMs),
    maxRegression === undefined ? [] : lossJudge(report, pair, maxRegression),
  ].flat()
  return { context, thresholds, others }
}

function budgetJudge(report: Run, pair: Pair | undefined, limitMs: number): Judge {
  const unknown = (why: string) => () => undecidedCheck('overhead.p99', '<', limitMs, why)
  if (report.totals.successful === 0) return unknown('every request failed')
  if (report.role === 'direct') return unknown('the target is the provider itself, no gateway')
  // A difference to an old gateway is no overhead.
  const direct = pair?.mode === 'overhead' ? pair.baseline : undefined
  const found = overheadJudge(report, direct, { limitMs, paired: direct !== undefined })
  return found?.judge ?? unknown('no request carries a reading of the overhead')
}

function lossJudge(report: Run, pair: Pair | undefined, limit: RegressionLimit): Judge {
  const unknown = (why: string) => () => undecidedCheck('delta.overhead.p99', '<', limit.ms, why)
  if (!pair) return unknown('a regression needs a baseline: --baseline-url')
  if (report.totals.successful === 0 || pair.baseline.totals.successful === 0) return unknown('every request failed')
  return regressionJudge(pair, limit).judge
}

type AnalysisRecord = NonNullable<BenchReport['interimAnalyses']>

/**
 * The interim analyses of a run that ends as soon as it is decided (a group-sequential test, src/stats/gate.ts). At
 * each analysis the report so far is judged as the whole would be, the verdict is kept for the report, and the run
 * goes on or ends.
 */
export class InterimAnalyses {
  readonly #planned: readonly number[]
  readonly #judge: (report: BenchReport) => Verdict | undefined
  readonly #note: (line: string) => void
  readonly #taken: AnalysisRecord['taken'] = []

  /** `judge` also stores its verdict in the report. */
  constructor(
    planned: readonly number[],
    judge: (report: BenchReport) => Verdict | undefined,
    note: (line: string) => void,
  ) {
    this.#planned = planned
    this.#judge = judge
    this.#note = note
  }

  /** Judges the report after this many pairs of blocks; true when the run must go on. */
  readonly goOn = (soFar: BenchReport, pairs: number): boolean => {
    const verdict = this.#judge(soFar) ?? 'inconclusive'
    this.#taken.push({ pairs, verdict })
    const next = nextAnalysis(isOpen(soFar) ? 'inconclusive' : verdict, pairs, this.#planned)
    const then = next === undefined ? 'the run ends here' : `on to ${next}`
    this.#note(`After ${pairs} pairs of blocks: ${verdict.toUpperCase()}, ${then}.`)
    return next !== undefined
  }

  /** Judges the whole run. That is the last analysis, unless an interim one ended the run. */
  end(report: BenchReport): void {
    const verdict = this.#judge(report) ?? 'inconclusive'
    if (this.#planned.length === 0) return
    const pairs = countPairs(report)
    if (this.#taken.at(-1)?.pairs === pairs) this.#taken.pop()
    this.#taken.push({ pairs, verdict })
    report.interimAnalyses = {
      planned: [...this.#planned],
      taken: this.#taken,
      alphaPass: ALPHA_PASS,
      alphaFail: ALPHA_FAIL,
    }
  }
}

/** One of several gateways has failed and decides the verdict, and what another one comes to is not known yet. */
function isOpen({ arms, gate }: BenchReport): boolean {
  const there = new Set(arms.filter(({ dropped }) => !dropped).map(({ name }) => name))
  return gate?.checks.some(({ arm, verdict }) => arm && there.has(arm) && verdict === 'inconclusive') ?? false
}

/** Blocks that all arms have which were there to the end. */
function countPairs({ arms }: BenchReport): number {
  const [first, ...others] = arms.filter(({ dropped }) => !dropped)
  const inAll = (index: number): boolean => others.every(({ blocks }) => blocks.some((block) => block.index === index))
  return first?.blocks.filter(({ index }) => inAll(index)).length ?? 0
}
