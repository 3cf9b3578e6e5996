/**
 * The requests of one second, one by one: when each comes and how long its prompt and its answer are. A trace at scale
 * 1 comes as it was recorded; a scaled one has its own number of requests in each second, spread at random within it; a
 * demand is a Poisson stream whose sizes are drawn from their kinds, so that nothing cuts the far tail.
 */
import { normal, type Random, randomFrom } from '../../stats/random.ts'
import type { Traffic } from './traffic.ts'

/** A share that is as good as all, but whose sizes are drawn: with what comes again no row has a whole number. */
const MIXED = 1 - 1e-12

export class Arrivals {
  count = 0
  atS = new Float64Array(1_024)
  inputTokens = new Float64Array(1_024)
  outputTokens = new Float64Array(1_024)
  readonly #traffic: Traffic
  readonly #random: Random

  constructor(traffic: Traffic, seed: number) {
    this.#traffic = traffic
    this.#random = randomFrom(`arrivals:${seed}`)
  }

  /** Of all requests of this second, and `extra` that come again, those of a share of the workers. */
  draw(step: number, extra: number, share: number): void {
    this.count = 0
    const { trace, requests } = this.#traffic
    const all = (requests[step] ?? 0) + extra
    if (!trace) this.#poisson(step, all * share)
    else if (trace.recorded && extra === 0) this.#recorded(step, share)
    else this.#spread(step, all, extra === 0 ? share : Math.min(share, MIXED))
  }

  #poisson(step: number, rate: number): void {
    const random = this.#random
    let at = step
    while (true) {
      // A rate of 0 puts the first arrival at infinity.
      at -= Math.log(1 - random()) / rate
      if (!(at < step + 1)) return
      this.#push(at)
      this.#size(step, this.count - 1)
    }
  }

  #recorded(step: number, share: number): void {
    const { trace } = this.#traffic
    if (!trace) return
    for (let row = trace.from[step] ?? 0; row < (trace.to[step] ?? 0); row++) {
      if (share < 1 && this.#random() >= share) continue
      this.#push(trace.atS[row] ?? step)
      this.#row(this.count - 1, row)
    }
  }

  /** So many, at times that are as good as drawn and sorted: sums of exponential gaps over the sum of all. */
  #spread(step: number, requests: number, share: number): void {
    const random = this.#random
    const whole = Math.floor(requests) + (random() < requests % 1 ? 1 : 0)
    const count = share < 1 ? thinned(whole, share, random) : whole
    let sum = 0
    for (let i = 0; i < count; i++) {
      sum -= Math.log(1 - random())
      this.#push(sum)
    }
    sum -= Math.log(1 - random())
    for (let i = 0; i < count; i++) this.atS[i] = step + (this.atS[i] ?? 0) / sum
    if (share < 1) for (let i = 0; i < count; i++) this.#size(step, i)
    else this.#eachRow(step, count)
  }

  /** Every row as often as any other, in an order of chance. */
  #eachRow(step: number, count: number): void {
    const from = this.#traffic.trace?.from[step] ?? 0
    const rows = (this.#traffic.trace?.to[step] ?? 0) - from
    for (let i = 0; i < count; i++) this.#row(i, from + (i % rows))
    for (let i = count - 1; i > 0; i--) {
      const other = (this.#random() * (i + 1)) | 0
      swap(this.inputTokens, i, other)
      swap(this.outputTokens, i, other)
    }
  }

  #size(step: number, i: number): void {
    const { trace, kinds } = this.#traffic
    const random = this.#random
    if (trace) {
      const [from, to] = [trace.from[step] ?? 0, trace.to[step] ?? 0]
      // A second without requests of its own only sees those that come again: of any size there is.
      this.#row(i, from < to ? from + ((random() * (to - from)) | 0) : (random() * trace.inputTokens.length) | 0)
      return
    }
    let kind = kinds[0]
    for (let left = kinds.length === 1 ? 0 : random(), k = 0; kind && left >= kind.share && k + 1 < kinds.length; ) {
      left -= kind.share
      kind = kinds[++k]
    }
    if (!kind) return
    const { inputTokens, inputSigma, outputTokens } = kind
    this.inputTokens[i] =
      inputSigma === 0 ? inputTokens : inputTokens * Math.exp(inputSigma * (normal(random) - inputSigma / 2))
    this.outputTokens[i] = outputTokens
  }

  #row(i: number, row: number): void {
    this.inputTokens[i] = this.#traffic.trace?.inputTokens[row] ?? 0
    this.outputTokens[i] = this.#traffic.trace?.outputTokens[row] ?? 0
  }

  #push(atS: number): void {
    if (this.count === this.atS.length) {
      this.atS = doubled(this.atS)
      this.inputTokens = doubled(this.inputTokens)
      this.outputTokens = doubled(this.outputTokens)
    }
    this.atS[this.count++] = atS
  }
}

/** How many of `count` are kept where each is kept with this probability: by the lengths of the gaps between them. */
function thinned(count: number, share: number, random: Random): number {
  const scale = 1 / Math.log1p(-share)
  let kept = 0
  for (let at = Math.floor(Math.log(1 - random()) * scale); at < count; kept++)
    at += 1 + Math.floor(Math.log(1 - random()) * scale)
  return kept
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2)
  larger.set(values)
  return larger
}

function swap(values: Float64Array, a: number, b: number): void {
  const kept = values[a] ?? 0
  values[a] = values[b] ?? 0
  values[b] = kept
}
