/** How much of a thread's time a search may take. */
import { effort } from './automaton.ts'

/** True once a search has used up its budget. */
export type IsOverBudget = () => boolean

export function timeBudget(ms: number): IsOverBudget {
  const deadlineMs = performance.now() + ms
  return () => performance.now() > deadlineMs
}

/**
 * A budget in instructions (see automaton.ts). A clock would also count the time that the machine spends on other work.
 */
export function effortBudget(instructions: number): IsOverBudget {
  const limit = effort.spent + instructions
  return () => effort.spent > limit
}
