/** The fleet under the same traffic with several seeds: the waits of all runs, with intervals over them. */

import { studentQuantile } from '../../stats/distributions.ts'
import { mean, standardError } from '../../stats/means.ts'
import { type FleetOptions, type FleetRun, runFleet } from './fleet.ts'
import type { Traffic } from './traffic.ts'
import { WaitHistogram } from './waits.ts'

/** A figure of all runs together, and its 95 % interval by how the runs differ; none of a single run. */
interface Estimate {
  value: number
  low?: number
  high?: number
}

export interface Simulation extends Omit<FleetRun, 'waits'> {
  seeds: number[]
  simulatedRequests: number
  wait: { p50Ms: Estimate; p99Ms: Estimate; p999Ms: Estimate; meanMs: Estimate; maxMs: number }
}

export function simulate(traffic: Traffic, options: FleetOptions, count: number): Simulation {
  const seeds = Array.from({ length: count }, (_, i) => options.seed + i)
  const runs = seeds.map((seed) => runFleet(traffic, { ...options, seed }))
  const [first] = runs
  if (!first) throw new Error('a simulation of no runs')
  const all = new WaitHistogram()
  for (const { waits } of runs) all.add(waits)
  const each = runs.map(({ waits }) => waits)
  const at = (q: number): Estimate => estimate(all, each, (waits) => waits.quantileS(q) * 1_000)
  const { waits: _, ...rest } = first
  return {
    ...rest,
    limits: worst(runs),
    seeds,
    simulatedRequests: all.count,
    wait: {
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      p999Ms: at(0.999),
      meanMs: estimate(all, each, (waits) => waits.meanS * 1_000),
      maxMs: all.maxS * 1_000,
    },
  }
}

/** By Student's t; of the logarithms, where all are above 0, since waits vary by factors. */
function estimate(
  all: WaitHistogram,
  each: readonly WaitHistogram[],
  read: (waits: WaitHistogram) => number,
): Estimate {
  const value = read(all)
  if (each.length < 2 || value === 0) return { value }
  const values = each.map(read)
  const logs = values.every((one) => one > 0)
  const scale = logs ? values.map(Math.log) : values
  const half = studentQuantile(0.975, each.length - 1) * standardError(scale)
  const [low, high] = [mean(scale) - half, mean(scale) + half].map((end) => (logs ? Math.exp(end) : Math.max(0, end)))
  return { value, low: Math.min(value, low ?? value), high: Math.max(value, high ?? value) }
}

/** What the nodes carried at most in any of the runs. */
function worst(runs: readonly FleetRun[]): FleetRun['limits'] {
  const seen = runs.flatMap(({ limits }) => limits ?? [])
  if (seen.length === 0) return undefined
  const top = (read: (limits: NonNullable<FleetRun['limits']>) => number): number => Math.max(...seen.map(read))
  return {
    network: {
      peak: top(({ network }) => network.peak),
      overS: top(({ network }) => network.overS),
      delayMs: top(({ network }) => network.delayMs),
    },
    memory: { peak: top(({ memory }) => memory.peak) },
    connections: {
      peak: top(({ connections }) => connections.peak),
      refusedShare: mean(seen.map(({ connections }) => connections.refusedShare)),
    },
  }
}
