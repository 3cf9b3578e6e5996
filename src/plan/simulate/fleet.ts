/**
 * The fleet under traffic, seeded: every worker is a queue of its own (SO_REUSEPORT). Requests that are spread at
 * random over many workers come to each by itself, so a sample of workers, simulated request by request, shows the
 * waits of all of them: 10,000 workers cost as much as a hundred. The sample is of whole nodes, so that it shows what a
 * node carries. Load, autoscaler, a lost zone and drain are kept for the whole fleet, second by second.
 */
import { Arrivals } from './arrivals.ts'
import { Autoscaler, type AutoscalerOptions } from './autoscaler.ts'
import { type NodeLimits, Nodes, type NodesSeen } from './nodes.ts'
import { Streams } from './streams.ts'
import type { Traffic } from './traffic.ts'
import type { WaitHistogram } from './waits.ts'
import { ticksOf, type WorkerCosts, Workers } from './workers.ts'

export interface FleetOptions extends WorkerCosts {
  workers: number
  zones: number
  /** When a zone is lost, and for how long; its streams break off and come again within seconds. */
  zoneLoss?: { atS: number; forS: number; zones: number } | undefined
  autoscaler?: AutoscalerOptions | undefined
  limits?: NodeLimits | undefined
  /** Requests to simulate one by one, at most. */
  budget: number
  seed: number
}

export interface FleetRun {
  waits: WaitHistogram
  requests: number
  simulatedWorkers: number
  seconds: number
  peakUtilisation: number
  meanUtilisation: number
  /** Seconds with more work than workers. */
  overloadedS: number
  peakInFlight: number
  brokenStreams: number
  workers: { min: number; max: number; hours: number }
  limits?: NodesSeen | undefined
}

/** Within so many seconds the clients of a lost zone have come back. */
const RETRY_OVER_S = 5
/** Ticks of workers that the sample may keep ahead. */
const CELLS = 2e7

/** The sample: whole nodes, and the same share of the workers all the time, so that every request counts alike. */
function sampleOf({ workers, autoscaler, limits, budget, ...costs }: FleetOptions, total: number, longest: number) {
  const most = autoscaler?.max ?? workers
  const wanted = Math.min(1, budget / total, CELLS / (most * ticksOf(costs, longest)))
  const nodes = limits ? Math.ceil(wanted * limits.nodes) : 0
  const share = limits ? Math.min(1, Math.ceil((nodes * workers) / limits.nodes) / workers) : wanted
  return { share, workers: Math.max(1, Math.ceil(share * most)) }
}

export function runFleet(traffic: Traffic, options: FleetOptions): FleetRun {
  const total = traffic.requests.reduce((sum, requests) => sum + requests, 0)
  const { share, workers: sampled } = sampleOf(options, total, traffic.longestTokens)
  const { limits } = options
  const arrivals = new Arrivals(traffic, options.seed)
  const mostOpen = limits?.mostOpen ?? Number.POSITIVE_INFINITY
  const workers = new Workers(sampled, options, traffic.longestTokens, mostOpen, options.seed)
  const nodes = limits && new Nodes(limits)
  const streams = new Streams(traffic.longestTokens, options.tokensPerSecPerStream, options.ttftS)
  const scaler = options.autoscaler && new Autoscaler(options.workers, options.autoscaler)
  const seen = { peak: 0, sum: 0, overloadedS: 0, inFlight: 0, broken: 0, min: options.workers, max: 0, workerS: 0 }
  const retries = new Float64Array(traffic.steps + RETRY_OVER_S + 1)
  const means = meanSizes(traffic)
  for (let step = 0; step < traffic.steps; step++) {
    const lost = lostShare(options, step)
    const serving = (scaler?.ready ?? options.workers) * (1 - lost)
    const taking = Math.min(sampled, Math.max(1, Math.round(share * serving)))
    if (step === options.zoneLoss?.atS) {
      const broken = streams.breakOff(lost)
      workers.breakOff(taking)
      seen.broken += broken
      for (let i = 0; i < RETRY_OVER_S; i++) retries[step + i] = (retries[step + i] ?? 0) + broken / RETRY_OVER_S
    }
    const extra = retries[step] ?? 0
    const requests = (traffic.requests[step] ?? 0) + extra
    const input = beginStreams(traffic, step, requests, means, streams)
    streams.step()
    const carrying = serving + (scaler?.draining ?? 0)
    const work = requests * options.requestS + input * options.inputTokenS
    const utilisation = work / serving + (streams.tokensPerSec * options.outputTokenS) / carrying
    arrivals.draw(step, extra, taking / serving)
    workers.second(step, arrivals, taking)
    nodes?.second(workers, taking, Math.max(1, Math.round(nodes.holding(serving) * (1 - lost) * (taking / serving))))
    scaler?.step(step, utilisation)
    seen.peak = Math.max(seen.peak, utilisation)
    seen.sum += utilisation
    if (utilisation >= 1) seen.overloadedS++
    seen.inFlight = Math.max(seen.inFlight, streams.inFlight)
    seen.min = Math.min(seen.min, Math.round(serving))
    seen.max = Math.max(seen.max, Math.round(serving))
    seen.workerS += carrying + (scaler?.starting ?? 0)
  }
  const { waits, refused } = workers
  return {
    waits,
    requests: Math.round(total + seen.broken),
    simulatedWorkers: Math.min(sampled, options.workers),
    seconds: traffic.steps,
    peakUtilisation: seen.peak,
    meanUtilisation: seen.sum / traffic.steps,
    overloadedS: seen.overloadedS,
    peakInFlight: seen.inFlight,
    brokenStreams: Math.round(seen.broken),
    workers: { min: seen.min, max: seen.max, hours: seen.workerS / 3_600 },
    limits: nodes?.seen(refused / Math.max(1, refused + waits.count)),
  }
}

function lostShare({ zoneLoss, zones }: FleetOptions, step: number): number {
  return zoneLoss && step >= zoneLoss.atS && step < zoneLoss.atS + zoneLoss.forS ? zoneLoss.zones / zones : 0
}

interface Means {
  input: number
  output: number
}

function meanSizes({ kinds, trace }: Traffic): Means {
  if (trace) return { input: mean(trace.inputTokens), output: mean(trace.outputTokens) }
  const of = (read: 'inputTokens' | 'outputTokens'): number =>
    kinds.reduce((sum, kind) => sum + kind.share * kind[read], 0)
  return { input: of('inputTokens'), output: of('outputTokens') }
}

/** Starts this second's streams; returns the input tokens of its requests. */
function beginStreams(
  { kinds, trace }: Traffic,
  step: number,
  requests: number,
  { input, output }: Means,
  streams: Streams,
): number {
  if (!trace) {
    for (const { share, outputTokens } of kinds) streams.begin(requests * share, outputTokens)
    return requests * input
  }
  const [first, last] = [trace.from[step] ?? 0, trace.to[step] ?? 0]
  // A second without requests of its own only sees those that come again: of the mean size.
  if (first === last) {
    streams.begin(requests, output)
    return requests * input
  }
  const each = requests / (last - first)
  let tokens = 0
  for (let i = first; i < last; i++) {
    tokens += trace.inputTokens[i] ?? 0
    streams.begin(each, trace.outputTokens[i] ?? 0)
  }
  return tokens * each
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
