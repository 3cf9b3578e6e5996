/**
 * The fleet under traffic, seeded: every worker is a queue of its own (SO_REUSEPORT), prompts are single jobs, streamed
 * tokens take a steady share of each worker. Requests that are spread at random over many workers are independent
 * Poisson streams, so a sample of workers, simulated request by request, shows the waits of all of them: 10,000 workers
 * cost as much as a hundred. Streams, the autoscaler, a lost zone and drain are kept for the whole fleet, second by
 * second.
 */
import { randomFrom } from '../../stats/random.ts'
import { Streams, WaitHistogram } from './streams-and-waits.ts'
import type { Traffic } from './traffic.ts'

export interface FleetOptions {
  workers: number
  /** CPU seconds of a request by itself, of an input and of an output token. */
  requestS: number
  inputTokenS: number
  outputTokenS: number
  tokensPerSecPerStream: number
  ttftS: number
  zones: number
  /** When a zone is lost, and for how long; its streams break off and come again within seconds. */
  zoneLoss?: { atS: number; forS: number; zones: number } | undefined
  autoscaler?: AutoscalerOptions | undefined
  /** Requests to simulate one by one, at most. */
  budget: number
  seed: number
}

export interface FleetResult {
  requests: number
  simulatedRequests: number
  simulatedWorkers: number
  seconds: number
  wait: { p50Ms: number; p99Ms: number; p999Ms: number; maxMs: number; meanMs: number }
  peakUtilisation: number
  meanUtilisation: number
  /** Seconds with more work than workers. */
  overloadedS: number
  peakInFlight: number
  brokenStreams: number
  workers: { min: number; max: number; hours: number }
}

interface AutoscalerOptions {
  target: number
  min: number
  max: number
  startLagS: number
  /** How long a removed worker still carries its streams. */
  drainS: number
}

/** The steps of the Kubernetes HPA, its tolerance, and the window in which its highest wish counts. */
const SYNC_S = 15
const TOLERANCE = 0.1
const DOWN_WINDOW_S = 300

/** Within so many seconds the clients of a lost zone have come back. */
const RETRY_OVER_S = 5

export function simulateFleet(traffic: Traffic, options: FleetOptions): FleetResult {
  const total = traffic.requests.reduce((sum, requests) => sum + requests, 0)
  // The same share of the workers all the time, so that every request counts alike while the fleet grows and shrinks.
  const share = Math.min(1, options.budget / total)
  const sample = Math.max(1, Math.ceil(share * (options.autoscaler?.max ?? options.workers)))
  const queues = new Queues(sample, options.seed)
  const streams = new Streams(maximum(traffic.outputTokens), options.tokensPerSecPerStream, options.ttftS)
  const scaler = options.autoscaler && new Autoscaler(options.workers, options.autoscaler)
  const seen = {
    peak: 0,
    sum: 0,
    overloadedS: 0,
    inFlight: 0,
    broken: 0,
    min: options.workers,
    max: options.workers,
    workerS: 0,
  }
  const retries = new Float64Array(traffic.steps + RETRY_OVER_S + 1)
  for (let step = 0; step < traffic.steps; step++) {
    const lost = lostShare(options, step)
    if (options.zoneLoss && step === options.zoneLoss.atS) {
      const broken = streams.breakOff(options.zoneLoss.zones / options.zones)
      seen.broken += broken
      for (let i = 0; i < RETRY_OVER_S; i++) retries[step + i] = (retries[step + i] ?? 0) + broken / RETRY_OVER_S
    }
    const requests = (traffic.requests[step] ?? 0) + (retries[step] ?? 0)
    const inputPerRequest = beginStreams(traffic, step, requests, streams)
    streams.step()
    const serving = (scaler?.ready ?? options.workers) * (1 - lost)
    const carrying = serving + (scaler?.draining ?? 0)
    const tokenShare = (streams.tokensPerSec * options.outputTokenS) / carrying
    const utilisation = (requests * (options.requestS + inputPerRequest * options.inputTokenS)) / serving + tokenShare
    const taking = Math.min(sample, Math.max(1, Math.round(share * serving)))
    queues.second(traffic, step, { workers: taking, requests: (requests / serving) * taking }, options, tokenShare)
    scaler?.step(step, utilisation)
    seen.peak = Math.max(seen.peak, utilisation)
    seen.sum += utilisation
    if (utilisation >= 1) seen.overloadedS++
    seen.inFlight = Math.max(seen.inFlight, streams.inFlight)
    seen.min = Math.min(seen.min, Math.round(serving))
    seen.max = Math.max(seen.max, Math.round(serving))
    seen.workerS += carrying + (scaler?.starting ?? 0)
  }
  const { waits } = queues
  return {
    requests: Math.round(total + seen.broken),
    simulatedRequests: waits.count,
    simulatedWorkers: Math.min(sample, options.workers),
    seconds: traffic.steps,
    wait: {
      p50Ms: waits.quantileS(0.5) * 1_000,
      p99Ms: waits.quantileS(0.99) * 1_000,
      p999Ms: waits.quantileS(0.999) * 1_000,
      maxMs: waits.maxS * 1_000,
      meanMs: waits.meanS * 1_000,
    },
    peakUtilisation: seen.peak,
    meanUtilisation: seen.sum / traffic.steps,
    overloadedS: seen.overloadedS,
    peakInFlight: seen.inFlight,
    brokenStreams: Math.round(seen.broken),
    workers: { min: seen.min, max: seen.max, hours: seen.workerS / 3_600 },
  }
}

function lostShare({ zoneLoss, zones }: FleetOptions, step: number): number {
  return zoneLoss && step >= zoneLoss.atS && step < zoneLoss.atS + zoneLoss.forS ? zoneLoss.zones / zones : 0
}

/** Starts this second's streams; returns the mean prompt of its requests. */
function beginStreams(
  { from, to, inputTokens, outputTokens }: Traffic,
  step: number,
  requests: number,
  streams: Streams,
): number {
  const [first, last] = [from[step] ?? 0, to[step] ?? 0]
  if (requests === 0) return 0
  // A second without requests of its own (a trace's pause) only sees those that come again: of the mean size around it.
  if (first === last) {
    streams.begin(requests, mean(outputTokens))
    return mean(inputTokens)
  }
  const each = requests / (last - first)
  const constant = outputTokens[first] === outputTokens[last - 1] && last - first === outputTokens.length
  let input = 0
  for (let i = first; i < last; i++) {
    input += inputTokens[i] ?? 0
    if (!constant) streams.begin(each, outputTokens[i] ?? 0)
  }
  if (constant) streams.begin(requests, outputTokens[first] ?? 0)
  return input / (last - first)
}

/** The sampled workers: unfinished work of each (Lindley), drained by what tokens leave of the CPU. */
class Queues {
  readonly waits = new WaitHistogram()
  readonly #work: Float64Array
  readonly #at: Float64Array
  readonly #random: () => number

  constructor(workers: number, seed: number) {
    this.#work = new Float64Array(workers)
    this.#at = new Float64Array(workers)
    this.#random = randomFrom(`fleet:${seed}`)
  }

  second(
    { from, to, inputTokens }: Traffic,
    step: number,
    taking: { workers: number; requests: number },
    { requestS, inputTokenS }: Pick<FleetOptions, 'requestS' | 'inputTokenS'>,
    tokenShare: number,
  ): void {
    const work = this.#work
    const lastAt = this.#at
    const random = this.#random
    const { workers, requests: rate } = taking
    const [first, count] = [from[step] ?? 0, (to[step] ?? 0) - (from[step] ?? 0)]
    const left = 1 - tokenShare
    // A rate of 0 puts the first arrival at infinity.
    let now = step - Math.log(1 - random()) / rate
    while (now < step + 1) {
      const worker = (random() * workers) | 0
      const unfinished = Math.max(0, (work[worker] ?? 0) - (now - (lastAt[worker] ?? 0)) * left)
      this.waits.record(unfinished)
      const row = count > 0 ? first + ((random() * count) | 0) : (random() * inputTokens.length) | 0
      work[worker] = unfinished + requestS + (inputTokens[row] ?? 0) * inputTokenS
      lastAt[worker] = now
      now -= Math.log(1 - random()) / rate
    }
    // The share changes with the second, so what it took in this one is settled here.
    for (let worker = 0; worker < work.length; worker++) {
      work[worker] = Math.max(0, (work[worker] ?? 0) - (step + 1 - (lastAt[worker] ?? 0)) * left)
      lastAt[worker] = step + 1
    }
  }
}

/**
 * The Kubernetes HPA as it behaves: every 15 s it wants ceil(workers x utilisation / target), stays within a tolerance
 * of 10 %, goes up by no more than double or 4, down only to the highest wish of the last 300 s; new workers serve
 * after their start-up, removed ones finish their streams first. Source: Kubernetes, horizontal pod autoscaling,
 * algorithm details and default behaviour.
 */
export class Autoscaler {
  ready: number
  readonly #options: AutoscalerOptions
  readonly #starting: { atS: number; workers: number }[] = []
  readonly #draining: { untilS: number; workers: number }[] = []
  readonly #wishes: { atS: number; workers: number }[] = []
  #utilisation = 0

  constructor(workers: number, options: AutoscalerOptions) {
    this.ready = workers
    this.#options = options
    // As Kubernetes does: what runs at the start counts as the first wish, so that nothing is removed within the first
    // window.
    this.#wishes.push({ atS: 0, workers })
  }

  get draining(): number {
    return this.#draining.reduce((sum, { workers }) => sum + workers, 0)
  }

  get starting(): number {
    return this.#starting.reduce((sum, { workers }) => sum + workers, 0)
  }

  /** One second at a utilisation of the ready workers. */
  step(nowS: number, utilisation: number): void {
    while ((this.#starting[0]?.atS ?? Number.POSITIVE_INFINITY) <= nowS)
      this.ready += this.#starting.shift()?.workers ?? 0
    while ((this.#draining[0]?.untilS ?? Number.POSITIVE_INFINITY) <= nowS) this.#draining.shift()
    this.#utilisation += utilisation / SYNC_S
    if ((nowS + 1) % SYNC_S !== 0) return
    this.#sync(nowS, this.#utilisation)
    this.#utilisation = 0
  }

  #sync(nowS: number, utilisation: number): void {
    const { target, min, max, startLagS, drainS } = this.#options
    const current = this.ready + this.starting
    const ratio = utilisation / target
    // Workers that are starting are taken as idle when going up, which damps it.
    const wanted = Math.abs(ratio - 1) <= TOLERANCE ? current : Math.ceil(this.ready * ratio)
    const wish = Math.min(max, Math.max(min, wanted))
    this.#wishes.push({ atS: nowS, workers: wish })
    while ((this.#wishes[0]?.atS ?? nowS) < nowS - DOWN_WINDOW_S) this.#wishes.shift()
    if (wish > current) {
      const workers = Math.min(wish, Math.max(2 * current, current + 4)) - current
      this.#starting.push({ atS: nowS + startLagS, workers })
      return
    }
    const highest = Math.max(...this.#wishes.map(({ workers }) => workers))
    const fewer = Math.min(this.ready, current - highest)
    if (fewer <= 0) return
    this.ready -= fewer
    this.#draining.push({ untilS: nowS + drainS, workers: fewer })
  }
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function maximum(values: Float64Array): number {
  return values.reduce((top, value) => Math.max(top, value), 0)
}
