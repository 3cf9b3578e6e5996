/**
 * A gateway's workers simulated event by event, apart from the planner's own simulation: every arrival, and every
 * stream that begins or ends, is an event at its own time, in a heap. Between events the unfinished work of a worker
 * drains at what streamed tokens leave of it. Its random numbers are its own too.
 */
import type { WorkerCosts } from '../../src/plan/simulate/workers.ts'

export interface Arrivals {
  /** Ascending. */
  atS: Float64Array
  inputTokens: Float64Array
  outputTokens: Float64Array
}

/** The waits of all requests, ascending; each goes to any of the workers. */
export function eventSimulation(arrivals: Arrivals, workers: number, costs: WorkerCosts, seed = 1): Float64Array {
  const random = mulberry(seed)
  const fleet = Array.from({ length: workers }, () => ({
    work: 0,
    atS: 0,
    streams: 0,
    begin: new Heap(),
    end: new Heap(),
  }))
  const waits = new Float64Array(arrivals.atS.length)
  const share = costs.tokensPerSecPerStream * costs.outputTokenS
  for (let i = 0; i < waits.length; i++) {
    const worker = fleet[Math.floor(random() * workers)]
    const [atS = 0, input = 0, output = 0] = [arrivals.atS[i], arrivals.inputTokens[i], arrivals.outputTokens[i]]
    if (!worker) continue
    while (true) {
      const [begin, end] = [worker.begin.first, worker.end.first]
      const next = Math.min(begin, end, atS)
      worker.work = Math.max(0, worker.work - (next - worker.atS) * (1 - worker.streams * share))
      worker.atS = next
      if (next === atS) break
      worker.streams += begin <= end ? 1 : -1
      if (begin <= end) worker.begin.pop()
      else worker.end.pop()
    }
    waits[i] = worker.work
    worker.work += costs.requestS + input * costs.inputTokenS
    if (output === 0) continue
    worker.begin.push(atS + costs.ttftS)
    worker.end.push(atS + costs.ttftS + output / costs.tokensPerSecPerStream)
  }
  return waits.sort()
}

/** The earliest of times first. */
class Heap {
  readonly #times: number[] = []

  get first(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY
  }

  push(time: number): void {
    const times = this.#times
    let at = times.push(time) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = times[parent] ?? 0
      if (above <= time) break
      times[at] = above
      at = parent
    }
    times[at] = time
  }

  pop(): void {
    const times = this.#times
    const last = times.pop() ?? 0
    const { length } = times
    if (length === 0) return
    let at = 0
    while (true) {
      let child = 2 * at + 1
      if (child >= length) break
      if (child + 1 < length && (times[child + 1] ?? 0) < (times[child] ?? 0)) child++
      const below = times[child] ?? 0
      if (below >= last) break
      times[at] = below
      at = child
    }
    times[at] = last
  }
}

/** Tommy Ettinger's mulberry32. */
export function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A Poisson stream of log-normal prompts, until a time; its rate may change with the time. */
export function poisson(
  untilS: number,
  rateAt: (atS: number) => number,
  { inputTokens: mean, sigma, outputTokens: output }: { inputTokens: number; sigma: number; outputTokens: number },
  seed = 2,
): Arrivals {
  const random = mulberry(seed)
  const times: number[] = []
  let atS = 0
  while (atS < untilS) {
    times.push(atS)
    atS -= Math.log(1 - random()) / rateAt(atS)
  }
  return {
    atS: Float64Array.from(times),
    inputTokens: Float64Array.from(times, () => mean * Math.exp(sigma * polar(random) - sigma ** 2 / 2)),
    outputTokens: new Float64Array(times.length).fill(output),
  }
}

/** Marsaglia's polar method. */
function polar(random: () => number): number {
  while (true) {
    const [x, y] = [2 * random() - 1, 2 * random() - 1]
    const s = x * x + y * y
    if (s > 0 && s < 1) return x * Math.sqrt((-2 * Math.log(s)) / s)
  }
}
