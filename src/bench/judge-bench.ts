/**
 * The gate of a single bench, by the best reading the run carries: P99 overhead against the budget; where the second arm is a gateway
 * too, how much worse than it the first one is; and the thresholds that were asked for. A run straight at the provider has no overhead.
 */

import { UserError } from '../errors.ts'
import type { BenchReport, Gate, SloResult, Verdict } from '../report/schema.ts'
import { splitReport } from '../report/write.ts'
import type { Category } from '../slo/category.ts'
import type { Threshold } from '../slo/threshold.ts'
import { ALPHA_FAIL, ALPHA_PASS, nextLook } from '../stats/gate.ts'
import type { BlockShare } from '../stats/share-interval.ts'
import { type Judge, undecidedCheck } from '../verdict/checks.ts'
import { componentJudges, readBudgets } from '../verdict/components.ts'
import { overheadJudge } from '../verdict/judge.ts'
import { type Pair, pairOf } from '../verdict/pair.ts'
import { type CategoryRun, categoryRun, judgeSlos, missedInAll } from '../verdict/slo.ts'
import { namedCategory, readSlo } from '../verdict/slo-file.ts'
import type { RegressionLimit } from '../verdict/thresholds.ts'
import { judgeRun, MAX_REGRESSION, regressionJudge } from '../verdict/verdict.ts'
import { reachableCategories, type WorkloadSpec } from '../workload/workload.ts'
import type { BenchOptions } from './option-schema.ts'

/**
 * What a bench promises for its requests: the category that was named for all of them (`--slo chat-short`), or each request's own
 * (`--slo auto`). A mixed workload is told apart by category also where nothing was asked, so that `kt slo check` can judge it later.
 */

const AUTO = 'auto'

interface Promised {
  /** The run is judged by them. */
  judged: boolean
  categories: readonly Category[]
  /** What is sent, told apart where there is something to tell apart. */
  sends: WorkloadSpec
  /** For a whole request of any kind; undefined where the user said it, or where nothing is judged. */
  timeoutMs: number | undefined
  /** The same by category. */
  categoryTimeoutsUs: number[] | undefined
}

export function promisedBy({ sends, slo, timeout, header, ...options }: BenchOptions): Promised {
  const known = readSlo(options['slo-file'])
  const asked = slo ?? (options['slo-file'] === undefined ? undefined : AUTO)
  const named = asked === undefined || asked === AUTO ? undefined : namedCategory(known, asked, '--slo')
  // By name it is every request's, whatever its own rule says.
  const categories = named ? [{ ...named, match: {} }] : known
  const told = { ...sends, categories, headers: Object.fromEntries(header) }
  const places = [...reachableCategories(told)]
  const reached = places.flatMap((place) => categories[place] ?? [])
  if (asked === AUTO && reached.length === 0) {
    throw new UserError(
      '--slo auto: no category matches these requests',
      `Name one: --slo ${known.map(({ name }) => name).join(' | ')}; or add a rule to your file: --slo-file.`,
    )
  }
  const judged = asked !== undefined
  const own = judged && timeout === undefined
  return {
    judged,
    categories,
    sends: judged || places.length > 1 ? told : sends,
    timeoutMs: own ? Math.max(...reached.map(({ timeoutMs }) => timeoutMs)) : undefined,
    categoryTimeoutsUs: own ? categories.map(({ timeoutMs }) => timeoutMs * 1_000) : undefined,
  }
}

/** An entry for each category that requests were of; undefined when none was asked for. */
export function keptPromises(report: BenchReport, promised: Promised): SloResult[] | undefined {
  return promised.judged ? judgeSlos(runsOf(report, promised)) : undefined
}

/** For a threshold on goodput. */
export function missedTargets(report: BenchReport, promised: Promised): BlockShare[] | undefined {
  return promised.judged ? missedInAll(runsOf(report, promised)) : undefined
}

function runsOf(report: BenchReport, { categories }: Promised): CategoryRun[] {
  return categories.flatMap((category) => categoryRun(report, category) ?? [])
}

/**
 * The looks of a run that ends as soon as it is decided (src/stats/gate.ts): at each one the report so far is judged as the
 * whole would be, what was seen is kept for the report, and the run is told whether to go on.
 */

type TakenLooks = NonNullable<BenchReport['looks']>

export class Looks {
  readonly #planned: readonly number[]
  readonly #judge: (report: BenchReport) => Verdict | undefined
  readonly #note: (line: string) => void
  readonly #taken: TakenLooks['taken'] = []

  /** `judge` puts its verdict into the report too. */
  constructor(
    planned: readonly number[],
    judge: (report: BenchReport) => Verdict | undefined,
    note: (line: string) => void,
  ) {
    this.#planned = planned
    this.#judge = judge
    this.#note = note
  }

  /** So many pairs of blocks are done: is there need of more? */
  readonly goOn = (soFar: BenchReport, pairs: number): boolean => {
    const verdict = this.#judge(soFar) ?? 'inconclusive'
    this.#taken.push({ pairs, verdict })
    const next = nextLook(verdict, pairs, this.#planned)
    const then = next === undefined ? 'the run ends here' : `on to ${next}`
    this.#note(`After ${pairs} pairs of blocks: ${verdict.toUpperCase()}, ${then}.`)
    return next !== undefined
  }

  /** Judges the whole run, which is the last look, unless that one ended it. */
  end(report: BenchReport): void {
    const verdict = this.#judge(report) ?? 'inconclusive'
    if (this.#planned.length === 0) return
    const pairs = pairsOf(report)
    if (this.#taken.at(-1)?.pairs === pairs) this.#taken.pop()
    this.#taken.push({ pairs, verdict })
    report.looks = { planned: [...this.#planned], taken: this.#taken, alphaPass: ALPHA_PASS, alphaFail: ALPHA_FAIL }
  }
}

/** Blocks that both arms have. */
function pairsOf({ arms, blocks }: BenchReport): number {
  const ofPrimary = blocks.filter((block) => block.arm === arms.primary)
  return ofPrimary.filter(({ index }) => blocks.some((block) => block.arm !== arms.primary && block.index === index))
    .length
}

export interface BenchQuestion {
  /** The budget that was asked for. */
  budgetMs: number | undefined
  /** What was asked for of the gateway's parts, at P99. */
  componentsMs?: Readonly<Record<string, number>>
  /** What was asked for of a new gateway against an old one. */
  maxRegression: RegressionLimit | undefined
  thresholds: readonly Threshold[]
  /** Requests that missed a target of their category, by block; undefined where no SLO was asked for. */
  missed?: readonly BlockShare[] | undefined
}

/** Where nothing was asked for, the standard question of the run's mode is shown, if there is a reading. */
export function judgeBench(report: BenchReport, question: BenchQuestion): Gate | null {
  const { budgetMs, componentsMs = {}, maxRegression, thresholds, missed } = question
  const arms = splitReport(report)
  const pair = arms && pairOf(arms.baseline, arms.gateway)
  const context = { gateway: report, ...(missed ? { missed } : {}), ...(pair ? { pair } : {}) }
  const asked = [
    budgetMs === undefined ? [] : budgetJudge(report, pair, budgetMs),
    componentJudges(report, componentsMs),
    maxRegression === undefined ? [] : lossJudge(report, pair, maxRegression),
  ].flat()
  const shown = asked.length + thresholds.length > 0 ? [] : standardJudge(report, pair)
  if (asked.length + thresholds.length + shown.length === 0) return null
  return judgeRun(context, thresholds, [...asked, ...shown])
}

function standardJudge(report: BenchReport, pair: Pair | undefined): Judge[] {
  if (report.totals.successful === 0 || report.target.role === 'direct') return []
  if (pair?.mode === 'regression') return [lossJudge(report, pair, MAX_REGRESSION)]
  return overheadOf(report, pair, readBudgets().totalMs)
}

function overheadOf(report: BenchReport, pair: Pair | undefined, limitMs: number): Judge[] {
  // A difference to an old gateway is no overhead.
  const direct = pair?.mode === 'overhead' ? pair.baseline : undefined
  const found = overheadJudge(report, direct, { limitMs, paired: direct !== undefined })
  return found ? [found.judge] : []
}

function budgetJudge(report: BenchReport, pair: Pair | undefined, limitMs: number): Judge {
  const unknown = (why: string) => () => undecidedCheck('overhead.p99', '<', limitMs, why)
  if (report.totals.successful === 0) return unknown('every request failed')
  if (report.target.role === 'direct') return unknown('the target is the provider itself, no gateway')
  const [judge] = overheadOf(report, pair, limitMs)
  return judge ?? unknown('no request carries a reading of the overhead')
}

function lossJudge(report: BenchReport, pair: Pair | undefined, limit: RegressionLimit): Judge {
  const unknown = (why: string) => () => undecidedCheck('delta.overhead.p99', '<', limit.ms, why)
  if (!pair) return unknown('it takes a baseline: --baseline-url')
  if (report.totals.successful === 0 || pair.baseline.totals.successful === 0) return unknown('every request failed')
  return regressionJudge(pair, limit).judge
}
