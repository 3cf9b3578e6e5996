/**
 * The parts of a gateway's own overhead, each against its budget at P99: judged by blocks like the total, from what the gateway says
 * of itself. A budget of 0 means that a part must not show: it stays below what figures are rounded to.
 */

import { z } from 'zod'
import { readYaml } from '../parse/file.ts'
import { durationMs, durationOrZeroMs } from '../parse/quantity.ts'
import type { ArmName, BenchReport, Block, Check, Verdict } from '../report/schema.ts'
import { COMPONENTS, type ComponentName } from '../slo/metrics.ts'
import { type GateResult, judgeBudget } from '../stats/gate.ts'
import { type EncodedHistogram, Histogram } from '../stats/histogram.ts'
import { packaged } from '../system/machine.ts'
import { armBlocks } from './blocks.ts'
import { durationCheck, type Judge } from './checks.ts'

/** The latency budgets of profiles/budgets.yaml: the gate's limit, and what each component of a gateway may take at P99. */

const limit = durationOrZeroMs.optional()

const budgetsSchema = z.strictObject({
  total: durationMs,
  components: z
    .strictObject(Object.fromEntries(COMPONENTS.map((name) => [name, limit])) as Record<ComponentName, typeof limit>)
    .default({}),
})

export interface Budgets {
  totalMs: number
  /** Limits by component; what is not there has none. */
  components: Readonly<Record<string, number>>
}

export function readBudgets(path: string = packaged('profiles', 'budgets.yaml')): Budgets {
  const { total, components } = readYaml(path, budgetsSchema, 'budgets file')
  const limits = Object.entries(components).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, ms] as const]))
  return { totalMs: total, components: Object.fromEntries(limits) }
}

const NOT_TO_BE_SEEN_MS = 0.05

/** 'total' is the whole of what the gateway says of itself. */
function componentOf(block: Pick<Block, 'components' | 'overhead'>, name: string): EncodedHistogram | undefined {
  return name === 'total' ? block.overhead['self-reported'] : block.components?.[name]
}

/** The verdict that stands beside a part in a table: of the readings alone, whatever the client or the floor. */
export function componentVerdict(blocks: readonly Histogram[], budgetMs: number): Verdict {
  return judgeComponent(blocks, budgetMs, 0.99, 'ok').verdict
}

/** The same of a report; null where its blocks do not hold the part. */
export function componentVerdictIn(report: BenchReport, arm: ArmName, name: string, budgetMs: number): Verdict | null {
  const blocks = valuesOf(report, arm, name)
  return blocks.length > 0 ? componentVerdict(blocks, budgetMs) : null
}

export interface ComponentQuestion {
  name: string
  metric: string
  op: Check['op']
  quantile: number
  limitMs: number
}

/** Each part that has a limit and is told by the gateway, as a check of the gate. */
export function componentJudges(report: BenchReport, limitsMs: Readonly<Record<string, number>>): Judge[] {
  return Object.entries(limitsMs).flatMap(([name, limitMs]) => {
    const question = { name, metric: `overhead.${name}.p99`, op: '<', quantile: 0.99, limitMs } as const
    return componentJudge(report, question) ?? []
  })
}

/** A part as a check of the gate; undefined where the gateway does not tell it. */
export function componentJudge(report: BenchReport, question: ComponentQuestion): Judge | undefined {
  const { name, metric, op, quantile, limitMs } = question
  const blocks = valuesOf(report, report.arms.primary, name)
  if (blocks.length === 0) return undefined
  return (alphaFail) => {
    const result = judgeComponent(blocks, limitMs, quantile, report.client.verdict, alphaFail)
    return durationCheck(metric, op, limitMs, result)
  }
}

function valuesOf(report: BenchReport, arm: ArmName, name: string): Histogram[] {
  return armBlocks(report, arm).flatMap((block) => {
    const values = componentOf(block, name)
    return values ? [Histogram.decode(values)] : []
  })
}

function judgeComponent(
  blocks: readonly Histogram[],
  budgetMs: number,
  quantile: number,
  client: BenchReport['client']['verdict'],
  alphaFail?: number,
): GateResult {
  return judgeBudget({
    limitUs: (budgetMs || NOT_TO_BE_SEEN_MS) * 1_000,
    quantile,
    ...(alphaFail === undefined ? {} : { alphaFail }),
    blocks: blocks.map((values) => ({ values, failed: 0, unfinished: 0 })),
    client,
    unread: 0,
  })
}
