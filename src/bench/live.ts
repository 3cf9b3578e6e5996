/** What the live view shows of a run: it listens to the run, and judges the finished blocks when it is looked at. */

import { LiveRun } from '../load/live-run.ts'
import type { Progress } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import type { LiveView } from '../output/live-view.ts'
import { buildRamp } from '../schedule/ramp.ts'
import { FLUSH_INTERVAL_MS } from '../verdict/judge-stream.ts'
import { type BlockSoFar, type LiveMargin, type LiveQuestion, liveMargins, metricsOf } from '../verdict/live.ts'
import { toThresholds } from '../verdict/slo.ts'
import type { BenchQuestion } from './judge-bench.ts'
import type { SloObjectives } from './slo-objectives.ts'

/** What the run is judged by, as far as its blocks tell it before the end. */
export type AskedLive = Omit<LiveQuestion, 'mostBlocks'>

export const NOTHING_ASKED: AskedLive = {
  budgetMs: undefined,
  holdMs: undefined,
  maxRegression: undefined,
  thresholds: [],
}

/** The category of an SLO counts where it holds for every request. */
export function askedLive(
  { budgetMs, holdMs, maxRegression, thresholds }: BenchQuestion,
  { judged, categories }: Pick<SloObjectives, 'judged' | 'categories'>,
): AskedLive {
  const [category, ...others] = categories
  const slo = judged && category && others.length === 0 ? toThresholds(category) : []
  return {
    budgetMs,
    holdMs: holdMs ?? (budgetMs === undefined ? undefined : FLUSH_INTERVAL_MS),
    maxRegression,
    thresholds: [...thresholds, ...slo],
  }
}

/** A single second is a matter of chance. */
const RECENT_SECONDS = 10

export class LiveWatch {
  /** What the run is to be given as its listener. */
  readonly run: LiveRun
  readonly #plan: RunPlan
  readonly #question: LiveQuestion
  readonly #closing: LiveMargin[] = []
  #margins: readonly LiveMargin[] = []
  #judged = 0

  constructor(plan: RunPlan, asked: AskedLive) {
    this.#plan = plan
    this.#question = { ...asked, mostBlocks: plan.blocks }
    this.run = new LiveRun(plan.arms.length, plan.workers ?? 1, metricsOf(asked))
  }

  /** Judges what is new: whoever calls it decides how often that is worth its cost. */
  view({ elapsedUs }: Pick<Progress, 'elapsedUs'>): LiveView {
    const arms = this.#plan.arms.map((_, arm) => this.run.ended(arm))
    // An arm that was dropped has no more of them.
    const count = this.#plan.outlivesArms ? Math.max : Math.min
    const blocks = count(...arms.map(({ length }) => length))
    if (blocks > this.#judged) {
      this.#judged = blocks
      this.#margins = this.#judge(arms)
      const [first] = this.#margins
      if (this.#closing.at(-1)?.metric !== first?.metric) this.#closing.length = 0
      if (first) this.#closing.push(first)
    }
    const firstUs = Math.min(...arms.map(([block]) => block?.startedAtUs ?? Number.POSITIVE_INFINITY))
    const lastUs = Math.max(...arms.map((of) => of[blocks - 1]?.endedAtUs ?? Number.NEGATIVE_INFINITY))
    const { seconds, failures } = this.run
    return {
      ...{ seconds, failures, asked: this.#asked(elapsedUs), keptRate: this.#keptRate() },
      closing: this.#closing,
      margins: this.#margins,
      blocks: this.#plan.blocks,
      blockMs: blocks > 0 ? (lastUs - firstUs) / 1_000 / blocks : undefined,
      analyses: this.#plan.interimAnalyses ?? [],
    }
  }

  /** What matters most of each gateway comes before the rest of the first one. */
  #judge(arms: readonly (readonly BlockSoFar[])[]): LiveMargin[] {
    const { baseline, arms: planned } = this.#plan
    const gateways = planned.flatMap(({ name }, arm) => (arm === baseline ? [] : [{ name, blocks: arms[arm] ?? [] }]))
    const margins = gateways.map(({ name, blocks }) => {
      const found = liveMargins(blocks, arms[baseline ?? -1] ?? [], this.#question)
      return gateways.length === 1 ? found : found.map((one) => ({ ...one, metric: `${name} ${one.metric}` }))
    })
    return [...margins.flatMap((of) => of.slice(0, 1)), ...margins.flatMap((of) => of.slice(1))]
  }

  /** Between the blocks of arms in turns nothing is sent: the rate is that of the time in which requests were due. */
  #keptRate(): number | undefined {
    const { load, arms, pairing } = this.#plan
    if (load.mode !== 'open') return undefined
    if (arms.length > 1 && pairing !== 'request') {
      const { achievedToOffered: share } = this.run
      return share === null ? undefined : load.rps * share
    }
    const recent = this.run.seconds.slice(-RECENT_SECONDS)
    return recent.length === 0 ? undefined : recent.reduce((sum, { sent }) => sum + sent, 0) / recent.length
  }

  /** The level of a ramp that arms take turns in is that of each, and is not told. */
  #asked(elapsedUs: number): LiveView['asked'] {
    const { load, arms } = this.#plan
    const level = load.mode === 'open' ? load.rps : load.concurrency
    const { stages } = load
    const now = stages && arms.length === 1 ? buildRamp(stages).levelAt(elapsedUs) : level
    return { mode: load.mode, level: now }
  }
}
