/**
 * How many runs a simulation of error rates makes: `short` of them in `npm test`, ten times as many in `npm run
 * test:system`, but not more than are `enough` for the bound that it asserts.
 */
export function simulatedRuns(short: number, enough = Number.POSITIVE_INFINITY): number {
  return Math.min(short * Number(process.env.KT_SIMULATION_FACTOR ?? 1), enough)
}
