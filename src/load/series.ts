/**
 * What happened in each second of a run, and the running figures that a progress line shows. Bounded: of a run that
 * lasts longer than two hours, the last two hours are kept.
 */
import { type EncodedHistogram, Histogram } from '../stats/histogram.ts'

export interface Second {
  second: number
  sent: number
  done: number
  failed: number
  inFlight: number
  p50Us: number | null
  p99Us: number | null
  /** Where several threads share a run: the latencies from which their common quantiles are computed. */
  latency?: EncodedHistogram
}

const MOST_SECONDS = 7_200

export class Series {
  readonly seconds: Second[] = []
  readonly #most: number
  readonly #startUs: number
  readonly #shared: boolean
  #histogram = new Histogram()
  #current: Second = emptySecond(0, 0)

  constructor(startUs: number, shared = false, most = MOST_SECONDS) {
    this.#startUs = startUs
    this.#shared = shared
    this.#most = most
  }

  sent(atUs: number): void {
    this.#at(atUs)
    this.#current.sent++
    this.#current.inFlight++
  }

  ended(atUs: number, latencyUs: number, ok: boolean): void {
    this.#at(atUs)
    this.#current.inFlight--
    this.#current.done++
    if (ok) this.#histogram.record(latencyUs)
    else this.#current.failed++
  }

  /** The run is over: closes the second under way. */
  end(): void {
    this.#close()
  }

  #at(atUs: number): void {
    const second = Math.max(this.#current.second, Math.floor((atUs - this.#startUs) / 1_000_000))
    while (this.#current.second < second) this.#close()
  }

  #close(): void {
    const { count } = this.#histogram
    this.#current.p50Us = count > 0 ? this.#histogram.quantileUs(0.5) : null
    this.#current.p99Us = count > 0 ? this.#histogram.quantileUs(0.99) : null
    if (this.#shared && count > 0) this.#current.latency = this.#histogram.encode()
    this.seconds.push(this.#current)
    if (this.seconds.length > this.#most) this.seconds.shift()
    this.#current = emptySecond(this.#current.second + 1, this.#current.inFlight)
    if (count > 0) this.#histogram = new Histogram()
  }
}

function emptySecond(second: number, inFlight: number): Second {
  return { second, sent: 0, done: 0, failed: 0, inFlight, p50Us: null, p99Us: null }
}

/** Merges the same second as several threads saw it. */
export function mergeSeconds(parts: readonly Second[]): Second {
  const sum = (of: (part: Second) => number): number => parts.reduce((total, part) => total + of(part), 0)
  const latency = Histogram.merge(parts.flatMap(({ latency }) => (latency ? [Histogram.decode(latency)] : [])))
  return {
    second: parts[0]?.second ?? 0,
    sent: sum(({ sent }) => sent),
    done: sum(({ done }) => done),
    failed: sum(({ failed }) => failed),
    inFlight: sum(({ inFlight }) => inFlight),
    p50Us: latency.count > 0 ? latency.quantileUs(0.5) : null,
    p99Us: latency.count > 0 ? latency.quantileUs(0.99) : null,
  }
}
