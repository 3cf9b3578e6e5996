/**
 * What happened in each second of a run, and the running figures that a progress line shows. Bounded: of a run that
 * lasts longer than two hours, the last two hours are kept.
 */
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import type { Sum } from './add-up.ts'

/** One arm in a second. Null where none of its requests was answered in it. */
interface ArmSecond {
  p50Us: number | null
  p99Us: number | null
  /** Where several threads share a run: the latencies from which their common quantiles are computed. */
  latency?: PackedHistogram
}

export interface Second {
  second: number
  sent: number
  done: number
  failed: number
  inFlight: number
  p50Us: number | null
  p99Us: number | null
  byArm: ArmSecond[]
}

const MOST_SECONDS = 7_200

export class Series {
  readonly seconds: Second[] = []
  readonly #most: number
  readonly #startUs: number
  readonly #shared: boolean
  /** By arm, the latencies of the second under way. */
  readonly #latencies: Histogram[]
  #current: Second = emptySecond(0, 0)

  constructor(startUs: number, arms = 1, shared = false, most = MOST_SECONDS) {
    this.#startUs = startUs
    this.#latencies = Array.from({ length: arms }, () => new Histogram())
    this.#shared = shared
    this.#most = most
  }

  sent(atUs: number): void {
    this.#at(atUs)
    this.#current.sent++
    this.#current.inFlight++
  }

  ended(atUs: number, latencyUs: number, ok: boolean, arm = 0): void {
    this.#at(atUs)
    this.#current.inFlight--
    this.#current.done++
    if (ok) this.#latencies[arm]?.record(latencyUs)
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
    Object.assign(this.#current, toQuantiles(this.#latencies, this.#shared))
    this.seconds.push(this.#current)
    if (this.seconds.length > this.#most) this.seconds.shift()
    this.#current = emptySecond(this.#current.second + 1, this.#current.inFlight)
    for (const [arm, { count }] of this.#latencies.entries()) if (count > 0) this.#latencies[arm] = new Histogram()
  }
}

/** The quantiles of all arms together, and of each. */
function toQuantiles(latencies: readonly Histogram[], shared: boolean): Pick<Second, 'p50Us' | 'p99Us' | 'byArm'> {
  const byArm = latencies.map((latency): ArmSecond => {
    return { ...quantilesOf(latency), ...(shared && latency.count > 0 ? { latency: latency.pack() } : {}) }
  })
  const answered = latencies.filter(({ count }) => count > 0)
  const all = answered.length === 1 ? answered[0] : Histogram.merge(answered)
  return { ...quantilesOf(all ?? new Histogram()), byArm }
}

function quantilesOf(latency: Histogram): Pick<Second, 'p50Us' | 'p99Us'> {
  if (latency.count === 0) return { p50Us: null, p99Us: null }
  return { p50Us: latency.quantileUs(0.5), p99Us: latency.quantileUs(0.99) }
}

function emptySecond(second: number, inFlight: number): Second {
  return { second, sent: 0, done: 0, failed: 0, inFlight, p50Us: null, p99Us: null, byArm: [] }
}

/** The same second as several senders saw it. */
export function secondSum(): Sum<Second> {
  const second = emptySecond(0, 0)
  const latencies: Histogram[] = []
  return {
    add(part) {
      second.second = part.second
      second.sent += part.sent
      second.done += part.done
      second.failed += part.failed
      second.inFlight += part.inFlight
      for (const [arm, { latency }] of part.byArm.entries()) {
        latencies[arm] ??= new Histogram()
        if (latency) latencies[arm].addPacked(latency)
      }
    },
    total: () => ({ ...second, ...toQuantiles(latencies, false) }),
  }
}
