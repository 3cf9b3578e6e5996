export interface Budgets {
  totalMs: number
  components: Record<string, number>
}
export function readBudgets(_path?: string): Budgets {
  return { totalMs: 7, components: {} }
}
