/**
 * Traffic for the fleet simulation, second by second: how many requests, and the sizes they are drawn from. A trace
 * keeps each second's own requests, each as many times as the scale, spread at random within it; a demand is a steady
 * rate with log-normal prompts, with a burst in it where asked for.
 */

import { normalCdf, normalDensity } from '../../stats/distributions.ts'
import type { Trace } from '../../workload/trace.ts'
import type { Demand } from '../demand.ts'

export interface Traffic {
  name: string
  steps: number
  /** Requests in each step of one second. */
  requests: Float64Array
  /** Where each step's sizes begin and end in the two columns below. */
  from: Uint32Array
  to: Uint32Array
  inputTokens: Float64Array
  outputTokens: Float64Array
}

export function traceTraffic({ name, atS, inputTokens, outputTokens }: Trace, scale: number): Traffic {
  const steps = Math.floor(atS.at(-1) ?? 0) + 1
  const requests = new Float64Array(steps)
  const [from, to] = [new Uint32Array(steps), new Uint32Array(steps)]
  let row = 0
  for (let step = 0; step < steps; step++) {
    from[step] = row
    while (row < atS.length && Math.floor(atS[row] ?? 0) === step) row++
    to[step] = row
    requests[step] = (row - (from[step] ?? 0)) * scale
  }
  return { name: `${name}${scale === 1 ? '' : ` x ${scale}`}`, steps, requests, from, to, inputTokens, outputTokens }
}

export interface Burst {
  factor: number
  seconds: number
}

/** Steady at the demand's peak; the burst comes after a quarter of the time. */
export function steadyTraffic(demand: Demand, seconds: number, burst: Burst | undefined): Traffic {
  const { request } = demand
  const sigma = Math.sqrt(Math.log(1 + request.inputScv))
  const sizes = normalQuantiles(QUANTILES / 2).map((z) => request.inputTokens * Math.exp(sigma * z))
  // Quantiles cut the far tail: scale them to the mean they stand for.
  const correction = request.inputTokens / (sizes.reduce((sum, size) => sum + size, 0) / sizes.length)
  const begins = Math.floor(seconds / 4)
  const requests = Float64Array.from({ length: seconds }, (_, step) => {
    const bursting = burst !== undefined && step >= begins && step < begins + burst.seconds
    return demand.requestsPerSec * (bursting ? burst.factor : 1)
  })
  return {
    name: demand.form,
    steps: seconds,
    requests,
    from: new Uint32Array(seconds),
    to: new Uint32Array(seconds).fill(sizes.length),
    inputTokens: Float64Array.from(sizes, (size) => size * correction),
    outputTokens: new Float64Array(sizes.length).fill(request.outputTokens),
  }
}

const QUANTILES = 2_000

/**
 * `half` quantiles of a standard normal on each side of 0, evenly spaced in probability: each by Newton's step from the
 * one before.
 */
function normalQuantiles(half: number): number[] {
  const spacing = 0.5 / half
  const above: number[] = []
  let z = 0
  for (let i = 0; i < half; i++) {
    const p = 0.5 + (i + 0.5) * spacing
    z += (i === 0 ? spacing / 2 : spacing) / normalDensity(z)
    for (let step = 0; step < 3; step++) z -= (normalCdf(z) - p) / normalDensity(z)
    above.push(z)
  }
  return [...above.map((value) => -value).reverse(), ...above]
}
