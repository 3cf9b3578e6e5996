/**
 * How many servers a load needs so that at most a share alpha of the arrivals waits: exactly, by Erlang C, and by the square-root
 * rule c = R + k sqrt(R), where k solves k Phi(k) / phi(k) = (1 - alpha) / alpha (Halfin and Whitt 1981). It shows why one flat
 * factor is wasteful for a large fleet and thin for a small one.
 */
import { normalCdf } from '../../stats/distributions.ts'
import { erlangC } from './erlang.ts'

/** The smallest number of servers with P(wait) <= alpha, for a load in erlangs. */
export function serversFor(load: number, alpha: number): number {
  let low = Math.floor(load) + 1
  let high = low
  while ((erlangC(load, high) ?? 1) > alpha) {
    low = high + 1
    high = Math.ceil(high + Math.max(1, Math.sqrt(load)))
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((erlangC(load, middle) ?? 1) <= alpha) high = middle
    else low = middle + 1
  }
  return high
}

/** The safety coefficient k of the square-root rule. */
export function safetyCoefficient(alpha: number): number {
  const target = (1 - alpha) / alpha
  let low = 0
  let high = 40
  for (let i = 0; i < 200; i++) {
    const k = (low + high) / 2
    if ((k * normalCdf(k)) / density(k) < target) low = k
    else high = k
  }
  return (low + high) / 2
}

/** Servers by the square-root rule, rounded up. */
export function squareRootStaffing(load: number, alpha: number): number {
  return Math.ceil(load + safetyCoefficient(alpha) * Math.sqrt(load))
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
}
