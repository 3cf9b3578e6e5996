/**
 * Latency budgets, the guide's or those of a file, and the parts of a gateway's overhead judged by them at P99. A part
 * is judged by blocks like the total, from what the gateway reports of itself. A budget of 0 means that a part must
 * stay below the rounding of the figures.
 */

import { z } from 'zod'
import { readYaml } from '../parse/file.ts'
import { durationMs, durationOrZeroMs } from '../parse/quantity.ts'
import { type EncodedHistogram, readHistogram } from '../report/histogram-text.ts'
import type { Block, Check, OverheadResult, Run, Verdict } from '../report/schema.ts'
import { BUDGETED_COMPONENTS, type BudgetedComponent } from '../slo/components.ts'
import { type GateResult, judgeBudget } from '../stats/gate.ts'
import type { Histogram } from '../stats/histogram.ts'
import { fileNamed } from '../system/shipped.ts'
import { budgetLimitMs, OVERHEAD_COMPONENTS, TOTAL_BUDGET_MS } from '../wire/overhead-components.ts'
import { durationCheck, type Judge, toMicroseconds } from './checks.ts'

const limit = durationOrZeroMs.optional()

const budgetsSchema = z.strictObject({
  total: durationMs,
  components: z
    .strictObject(
      Object.fromEntries(BUDGETED_COMPONENTS.map((name) => [name, limit])) as Record<BudgetedComponent, typeof limit>,
    )
    .default({}),
})

export interface Budgets {
  totalMs: number
  /** Limits by component. An absent component has none. */
  components: Readonly<Record<string, number>>
}

/** profiles/budgets.yaml holds the same figures, to be copied and changed. */
const DEFAULT_BUDGETS: Budgets = {
  totalMs: TOTAL_BUDGET_MS,
  components: Object.fromEntries(
    OVERHEAD_COMPONENTS.flatMap(({ name, budgetMs }) => (budgetMs === null ? [] : [[name, budgetMs]])),
  ),
}

export function readBudgets(path?: string): Budgets {
  if (path === undefined) return DEFAULT_BUDGETS
  const { total, components } = readYaml(fileNamed(path), budgetsSchema, 'budgets file')
  const limits = Object.entries(components).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, ms] as const]))
  return { totalMs: total, components: Object.fromEntries(limits) }
}

/** The histogram of a part; 'total' is the whole overhead that the gateway reports. */
function componentOf(block: Pick<Block, 'components' | 'overhead'>, name: string): EncodedHistogram | undefined {
  return name === 'total' ? block.overhead['self-reported'] : block.components?.[name]
}

/**
 * The verdict beside a part in a table. It rests on the readings alone, not on the client or the measurement floor.
 */
export function componentVerdict(
  blocks: readonly Histogram[],
  budgetMs: number,
  resolution: OverheadResult['resolution'],
): Verdict {
  return judgeComponent({ blocks, budgetMs, quantile: 0.99, client: 'ok', resolution }).verdict
}

/** The same verdict from a report; null where its blocks do not hold the part. */
export function componentVerdictIn(report: Run, name: string, budgetMs: number): Verdict | null {
  const blocks = valuesOf(report, name)
  return blocks.length > 0 ? componentVerdict(blocks, budgetMs, resolutionIn(report)) : null
}

interface ComponentQuestion {
  name: string
  metric: string
  op: Check['op']
  quantile: number
  limitMs: number
}

/** A check of the gate for each part that has a limit and that the gateway reports. */
export function componentJudges(report: Run, limitsMs: Readonly<Record<string, number>>): Judge[] {
  return Object.entries(limitsMs).flatMap(([name, limitMs]) => {
    const question = { name, metric: `overhead.${name}.p99`, op: '<', quantile: 0.99, limitMs } as const
    return componentJudge(report, question) ?? []
  })
}

/** A part as a check of the gate; undefined where the gateway does not report it. */
export function componentJudge(report: Run, question: ComponentQuestion): Judge | undefined {
  const { name, metric, op, quantile, limitMs } = question
  const blocks = valuesOf(report, name)
  if (blocks.length === 0) return undefined
  const client = report.client.verdict
  const resolution = resolutionIn(report)
  return (alphaFail) => {
    const result = judgeComponent({ blocks, budgetMs: limitMs, quantile, client, resolution, alphaFail })
    return durationCheck(metric, op, limitMs, result)
  }
}

function valuesOf(report: Run, name: string): Histogram[] {
  return report.blocks.flatMap((block) => {
    const values = componentOf(block, name)
    return values ? [readHistogram(values)] : []
  })
}

/** The parts are as coarse as the whole that the gateway reports. */
function resolutionIn({ overhead }: Run): OverheadResult['resolution'] {
  return overhead.find(({ definition }) => definition === 'self-reported')?.resolution
}

interface ComponentInput {
  blocks: readonly Histogram[]
  budgetMs: number
  quantile: number
  client: Run['client']['verdict']
  resolution: OverheadResult['resolution']
  alphaFail?: number
}

function judgeComponent({ blocks, budgetMs, resolution, ...rest }: ComponentInput): GateResult {
  return judgeBudget({
    ...rest,
    limitUs: budgetLimitMs(budgetMs) * 1_000,
    blocks: blocks.map((values) => ({ values, failed: 0, unfinished: 0 })),
    unread: 0,
    ...(resolution ? { resolution: toMicroseconds(resolution) } : {}),
  })
}
