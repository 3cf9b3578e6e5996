/**
 * Waiting when service times are not exponential: the M/M/c wait scaled by (1 + Cs^2) / 2 (Lee and Longton 1959, M/G/k), with
 * bursty arrivals (Ca^2 + Cs^2) / 2 (Allen and Cunneen, G/G/k); exact for M/G/1 and M/M/c. The tail is taken as exponential, with
 * the same scale. Its P99 is off by a factor of 0.7 to 1.9, too optimistic with few servers and a high load: good to search
 * with, to be confirmed by simulation.
 */
import { erlangC } from './erlang.ts'

export interface Queue {
  arrivalsPerSec: number
  meanServiceS: number
  servers: number
  /** Squared coefficient of variation of the service time: 0 constant, 1 exponential. */
  serviceScv: number
  /** Of the times between arrivals; 1 for Poisson. */
  arrivalScv?: number
}

export interface WaitEstimate {
  utilisation: number
  waits: number
  meanWaitS: number
  /** The wait that the share `q` of the arrivals does not exceed. */
  quantileS(q: number): number
}

/** Undefined at or above capacity. */
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
