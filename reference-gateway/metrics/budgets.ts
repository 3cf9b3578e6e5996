/**
 * What each component may take at P99, in milliseconds ("Performance Engineering the AI Gateway", Gateway Overhead Budget).
 * Emission is asynchronous: what a request spends on putting its event into the ring must not show, which here means that
 * it is below what the total's own figure is rounded to.
 */
export const BUDGETS_MS: Readonly<Record<string, number>> = {
  input_policy: 2,
  routing: 0.5,
  acquire: 1,
  output_policy: 3,
  events: 0.05,
  event_emission: 0.05,
  total: 7,
}
