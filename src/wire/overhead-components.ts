/**
 * The parts of a gateway's overhead as the reference gateway writes them, and what a well-tuned gateway may spend on
 * each. A part has its name in reports, in thresholds and in profiles/budgets.yaml; in `server-timing` it has the name
 * of its header entry, and in events and /stats the same name without `kt-`.
 */
import { type BudgetedComponent, COMPONENTS, type OverheadComponent } from '../slo/components.ts'

export type { OverheadComponent }

type Spec = {
  [C in OverheadComponent]: {
    header: `kt-${string}`
    /** At P99; 0 means that it must not show. Null for a part that has no budget, unless a file gives it one. */
    budgetMs: C extends BudgetedComponent ? number | null : null
  }
}

/** Budgets: "Performance Engineering the AI Gateway", Gateway Overhead Budget. profiles/budgets.yaml says the same. */
const SPEC: Spec = {
  input_policy: { header: 'kt-input-policy', budgetMs: 2 },
  routing: { header: 'kt-routing', budgetMs: 0.5 },
  cache: { header: 'kt-cache', budgetMs: null },
  injected_delay: { header: 'kt-inject', budgetMs: null },
  connection_acquisition: { header: 'kt-acquire', budgetMs: 1 },
  output_policy: { header: 'kt-output-policy', budgetMs: 3 },
  event_emission: { header: 'kt-events', budgetMs: 0 },
  hold: { header: 'kt-hold', budgetMs: null },
  // It grows with the answer, so that no figure fits all.
  overlapped_work: { header: 'kt-overlapped-work', budgetMs: null },
  overlapped_policy: { header: 'kt-overlapped-policy', budgetMs: null },
}

export const TOTAL_BUDGET_MS = 7

/** The limit of a budget of 0: what figures are rounded to. */
const ROUNDING_MS = 0.05

export function budgetLimitMs(budgetMs: number): number {
  return budgetMs || ROUNDING_MS
}

interface ComponentNames {
  name: OverheadComponent
  /** Its entry in the header `server-timing`. */
  header: string
  /** Its name in events and in /stats. */
  field: string
  budgetMs: number | null
}

/** In the order of the gateway's pipeline. */
export const OVERHEAD_COMPONENTS: readonly ComponentNames[] = (Object.keys(COMPONENTS) as OverheadComponent[]).map(
  (name) => ({ name, ...SPEC[name], field: SPEC[name].header.slice('kt-'.length).replaceAll('-', '_') }),
)
