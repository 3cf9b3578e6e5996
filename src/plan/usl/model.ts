/**
 * The Universal Scalability Law (Gunther 1993): X(N) = gN / (1 + a(N - 1) + bN(N - 1)). a is contention, b coherency
 * (crosstalk), g what one alone does. With b > 0 throughput falls again beyond N* = sqrt((1 - a) / b).
 */

export interface UslModel {
  alpha: number
  beta: number
  gamma: number
}

export function throughputAt(n: number, { alpha, beta, gamma }: UslModel): number {
  return (gamma * n) / (1 + alpha * (n - 1) + beta * n * (n - 1))
}

/** Where throughput is highest; undefined where it never falls (beta 0). */
export function peak(model: UslModel): { n: number; throughput: number } | undefined {
  if (model.beta <= 0 || model.alpha >= 1) return undefined
  const n = Math.sqrt((1 - model.alpha) / model.beta)
  return { n, throughput: throughputAt(n, model) }
}

/** What contention alone lets through, g / a (Amdahl); undefined where nothing contends. */
export function asymptote({ alpha, gamma }: UslModel): number | undefined {
  return alpha > 0 ? gamma / alpha : undefined
}
