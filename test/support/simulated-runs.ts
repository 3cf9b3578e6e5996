/**
 * How many runs a simulation of error rates makes: `short` of them in `npm test`, ten times as many in `npm run
 * test:system`.
 */
export function simulatedRuns(short: number): number {
  return short * Number(process.env.KT_SIMULATION_FACTOR ?? 1)
}
