/** The tokens that a bench has spent so far, over all its runs: the validating requests, its own, those asked again. */
import { addAll } from '../load/add-up.ts'
import { costOf } from '../load/limits.ts'
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { spentSum, type TokensSpent } from '../load/token-counter.ts'

export interface ArmSpending extends TokensSpent {
  arm: string
}

export class Spending {
  readonly #plan: RunPlan
  readonly #byArm: Map<string, TokensSpent>

  constructor(plan: RunPlan) {
    this.#plan = plan
    this.#byArm = new Map(plan.arms.map(({ name }) => [name, { input: 0, output: 0 }]))
  }

  /** By the names that the arms have in the record. */
  byArm({ arms }: Pick<RunRecord, 'arms'>): ArmSpending[] {
    return [...this.#byArm].map(([planned, spent], i) => ({ arm: arms[i]?.name ?? planned, ...spent }))
  }

  /** What a run of these arms spent. They stand in the record in the order of its plan. */
  add({ arms }: Pick<RunPlan, 'arms'>, record: Pick<RunRecord, 'arms'>): void {
    for (const [i, { name }] of arms.entries()) {
      const before = this.#byArm.get(name)
      const spent = record.arms[i]?.tokensSpent
      if (before && spent) this.#byArm.set(name, addAll(spentSum, [before, spent]))
    }
  }

  /** The plan with what is left of its budgets. */
  left(): RunPlan {
    const { tokenBudget, costBudget } = this.#plan
    const { input, output } = addAll<TokensSpent>(spentSum, [...this.#byArm.values()])
    return {
      ...this.#plan,
      tokenBudget: tokenBudget === undefined ? undefined : tokenBudget - input - output,
      costBudget: costBudget && { ...costBudget, usd: costBudget.usd - costOf(costBudget, input, output) },
    }
  }
}
