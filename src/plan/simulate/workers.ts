/**
 * The sampled workers, each with what it holds: unfinished work (Lindley's recursion) and open streams. Work is served
 * in the order in which it comes, prompts and streamed tokens alike, so a prompt waits for all work that it finds; what
 * tokens bring is their share of the worker's CPU. Streams begin and end with a tick, in the mean at their own times.
 */
import { type Random, randomFrom } from '../../stats/random.ts'
import type { Arrivals } from './arrivals.ts'
import { WaitHistogram } from './waits.ts'

/** Of a second. */
const TICKS = 16

export interface WorkerCosts {
  /** CPU seconds of a request by itself, of an input and of an output token. */
  requestS: number
  inputTokenS: number
  outputTokenS: number
  tokensPerSecPerStream: number
  ttftS: number
}

export class Workers {
  readonly waits = new WaitHistogram()
  /** Of each worker: open streams, tokens/s of them, and input tokens that came in this second. */
  readonly open: Float64Array
  readonly tokensPerSec: Float64Array
  readonly inputTokens: Float64Array
  refused = 0
  readonly #costs: WorkerCosts
  readonly #mostOpen: number
  readonly #work: Float64Array
  readonly #at: Float64Array
  readonly #left: Float64Array
  /** Changes of both in the ticks to come, in a ring as long as the longest stream. */
  readonly #openBy: Float64Array
  readonly #tokensBy: Float64Array
  readonly #ring: number
  readonly #random: Random

  constructor(count: number, costs: WorkerCosts, longestTokens: number, mostOpen: number, seed: number) {
    this.#costs = costs
    this.#mostOpen = mostOpen
    this.#random = randomFrom(`fleet:${seed}`)
    this.#ring = ticksOf(costs, longestTokens)
    this.open = new Float64Array(count)
    this.tokensPerSec = new Float64Array(count)
    this.inputTokens = new Float64Array(count)
    this.#work = new Float64Array(count)
    this.#at = new Float64Array(count)
    this.#left = new Float64Array(count)
    this.#openBy = new Float64Array(count * this.#ring)
    this.#tokensBy = new Float64Array(count * this.#ring)
  }

  /** One second: what came goes to the first `taking` workers, to each with the same probability. */
  second(step: number, arrivals: Arrivals, taking: number): void {
    this.inputTokens.fill(0)
    let next = 0
    for (let tick = step * TICKS; tick < (step + 1) * TICKS; tick++) {
      this.#turn(tick)
      const endS = (tick + 1) / TICKS
      for (; next < arrivals.count && (arrivals.atS[next] ?? 0) < endS; next++)
        this.#take(
          tick,
          arrivals.atS[next] ?? 0,
          arrivals.inputTokens[next] ?? 0,
          arrivals.outputTokens[next] ?? 0,
          taking,
        )
      // The share of tokens changes with the tick, so what they took in this one is settled here.
      for (let worker = 0; worker < this.open.length; worker++) {
        this.#work[worker] = this.#unfinished(worker, endS)
        this.#at[worker] = endS
      }
    }
  }

  /** Takes the changes of this tick. */
  #turn(tick: number): void {
    const count = this.open.length
    const slot = (tick % this.#ring) * count
    for (let worker = 0; worker < count; worker++) {
      this.open[worker] = (this.open[worker] ?? 0) + (this.#openBy[slot + worker] ?? 0)
      const tokens = (this.tokensPerSec[worker] ?? 0) + (this.#tokensBy[slot + worker] ?? 0)
      this.tokensPerSec[worker] = tokens
      this.#openBy[slot + worker] = 0
      this.#tokensBy[slot + worker] = 0
      this.#left[worker] = 1 - tokens * this.#costs.outputTokenS
    }
  }

  /** A zone is lost: those workers' streams break off. */
  breakOff(from: number): void {
    for (let worker = from; worker < this.open.length; worker++) {
      this.open[worker] = 0
      this.tokensPerSec[worker] = 0
      this.#work[worker] = 0
      for (let i = worker; i < this.#openBy.length; i += this.open.length) {
        this.#openBy[i] = 0
        this.#tokensBy[i] = 0
      }
    }
  }

  #take(now: number, atS: number, inputTokens: number, outputTokens: number, taking: number): void {
    const { requestS, inputTokenS, ttftS, tokensPerSecPerStream: pace } = this.#costs
    const worker = (this.#random() * taking) | 0
    if ((this.open[worker] ?? 0) >= this.#mostOpen) {
      this.refused++
      return
    }
    const unfinished = this.#unfinished(worker, atS)
    this.waits.record(unfinished)
    this.#work[worker] = unfinished + requestS + inputTokens * inputTokenS
    this.#at[worker] = atS
    this.inputTokens[worker] = (this.inputTokens[worker] ?? 0) + inputTokens
    const begins = Math.floor((atS + ttftS) * TICKS)
    const ends = Math.floor((atS + ttftS + outputTokens / pace) * TICKS)
    if (ends > now) {
      this.open[worker] = (this.open[worker] ?? 0) + 1
      this.#change(this.#openBy, ends, worker, -1)
    }
    if (ends === begins) return
    // This tick's share of the CPU is fixed: what would begin in it begins with the next.
    const late = begins === now ? 1 : 0
    this.#change(this.#tokensBy, begins + late, worker, pace)
    this.#change(this.#tokensBy, ends + late, worker, -pace)
  }

  #unfinished(worker: number, atS: number): number {
    const work = (this.#work[worker] ?? 0) - (atS - (this.#at[worker] ?? 0)) * (this.#left[worker] ?? 1)
    return work > 0 ? work : 0
  }

  #change(ring: Float64Array, tick: number, worker: number, by: number): void {
    const at = (tick % this.#ring) * this.open.length + worker
    ring[at] = (ring[at] ?? 0) + by
  }
}

/** Ticks that the longest stream reaches ahead, with those that rounding adds. */
export function ticksOf(
  { ttftS, tokensPerSecPerStream }: Pick<WorkerCosts, 'ttftS' | 'tokensPerSecPerStream'>,
  longestTokens: number,
): number {
  return Math.ceil((ttftS + longestTokens / tokensPerSecPerStream) * TICKS) + 3
}
