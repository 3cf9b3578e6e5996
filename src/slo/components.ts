/**
 * The parts of a gateway's overhead, in the order of its pipeline. Reported apart from them, since no client waits for
 * it in sum: `hold`, text held back on purpose, and `overlapped_work`, work on pieces of a stream that was done while
 * the provider had not sent the next one; `overlapped_policy` is what output policies did of it. Thresholds and budgets
 * may name those that can have a budget. src/wire/overhead-components.ts has the figures.
 */
export const COMPONENTS = {
  input_policy: { budget: true },
  routing: { budget: true },
  cache: { budget: false },
  injected_delay: { budget: false },
  connection_acquisition: { budget: true },
  output_policy: { budget: true },
  event_emission: { budget: true },
  hold: { budget: false },
  overlapped_work: { budget: true },
  overlapped_policy: { budget: true },
} as const satisfies Record<string, { budget: boolean }>

export type OverheadComponent = keyof typeof COMPONENTS
export type BudgetedComponent = {
  [C in OverheadComponent]: (typeof COMPONENTS)[C]['budget'] extends true ? C : never
}[OverheadComponent]

export const BUDGETED_COMPONENTS = (Object.keys(COMPONENTS) as OverheadComponent[]).filter(
  (name): name is BudgetedComponent => COMPONENTS[name].budget,
)

export function isBudgetedComponent(name: string): name is BudgetedComponent {
  return (BUDGETED_COMPONENTS as readonly string[]).includes(name)
}
