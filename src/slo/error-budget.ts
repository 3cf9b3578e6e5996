/**
 * Goodput is the share of requests within all their targets; the error budget is what the objective leaves; burn is how fast it is
 * spent: 1 spends it exactly, above 1 it will not last (Beyer et al., The Site Reliability Workbook, 5).
 */

export interface ErrorBudget {
  objective: number
  /** Requests that may be bad at this objective, of those that were sent. */
  allowed: number
  bad: number
  /** bad / allowed. */
  burn: number
}

export function errorBudget(requests: number, bad: number, objective: number): ErrorBudget {
  const allowed = Number(((1 - objective) * requests).toFixed(6))
  return { objective, allowed, bad, burn: Number((bad / requests / (1 - objective)).toFixed(6)) }
}
