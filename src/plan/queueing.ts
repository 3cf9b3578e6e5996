/**
 * Waiting for one of several equal servers. Loads are in erlangs (arrival rate x mean service time), rates per second.
 * Erlang B by the inverse recursion 1/B(m) = 1 + m/A x 1/B(m-1) (never by factorials, which overflow at 171), Erlang C
 * from it, and for service times that are not exponential the M/M/c wait times (1 + Cs^2) / 2 (Lee and Longton 1959,
 * M/G/k), with bursty arrivals times (Ca^2 + Cs^2) / 2 (Allen and Cunneen, G/G/k). References: Erlang 1917; Cooper,
 * Introduction to Queueing Theory, 3.
 */

interface Queue {
  arrivalsPerSec: number
  meanServiceS: number
  servers: number
  /** Squared coefficient of variation of the service time: 0 constant, 1 exponential. */
  serviceScv: number
  /** Of the times between arrivals; 1 for Poisson. */
  arrivalScv?: number
}

interface WaitEstimate {
  utilisation: number
  /** Probability of waiting. */
  waits: number
  meanWaitS: number
  /** The wait that the share `q` of the arrivals does not exceed. */
  quantileS(q: number): number
}

/**
 * The wait by its first two moments; undefined at or above capacity. The mean is exact for M/M/c and M/G/1. The tail is
 * taken as exponential with the same scale, which is exact for M/M/c only: elsewhere the P99 is off by a factor of 0.7
 * to 1.9, too optimistic with few servers and a high load. The formula is good to search with; a simulation has to
 * confirm what it finds.
 */
export function estimateWait({
  arrivalsPerSec,
  meanServiceS,
  servers,
  serviceScv,
  arrivalScv = 1,
}: Queue): WaitEstimate | undefined {
  const load = arrivalsPerSec * meanServiceS
  const waits = erlangC(load, servers)
  if (waits === undefined) return undefined
  const scale = (arrivalScv + serviceScv) / 2
  const meanOfDelayedS = (scale * meanServiceS) / (servers - load)
  return {
    utilisation: load / servers,
    waits,
    meanWaitS: waits * meanOfDelayedS,
    quantileS: (q) => (waits <= 1 - q ? 0 : meanOfDelayedS * Math.log(waits / (1 - q))),
  }
}

/** Probability that an arrival waits. Undefined where the load reaches the capacity: no steady state, no answer. */
export function erlangC(load: number, servers: number): number | undefined {
  const utilisation = load / servers
  if (!(utilisation < 1)) return undefined
  const b = erlangB(load, servers)
  return b / (1 - utilisation * (1 - b))
}

/** Probability that all `servers` are busy and an arrival is lost. */
export function erlangB(load: number, servers: number): number {
  let inverse = 1
  for (let m = 1; m <= servers; m++) {
    inverse = 1 + (m / load) * inverse
    // Beyond this B is below any double; without the stop a long recursion would only reach infinity.
    if (!Number.isFinite(inverse)) return 0
  }
  return 1 / inverse
}
