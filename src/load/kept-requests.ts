/**
 * Some requests of a run, for its traces: the slowest, or so many at random. Bounded, and chosen on the thread of the
 * command from the rows that the sending threads hand over (samples.ts).
 */
import type { Sample } from '../report/sample-schema.ts'
import { type Random, randomFrom } from '../stats/random.ts'
import { unixMs } from '../system/clock.ts'
import type { RunPlan } from './plan.ts'
import { rowLatencyUs, rowsOf, toSample } from './samples.ts'

export interface KeepRequests {
  how: 'slowest' | 'random'
  count: number
}

/** The requests, the first sent first. */
export interface KeptSamples {
  how: KeepRequests['how']
  /** When the measurement began, from which their times count; milliseconds of the Unix epoch. */
  startMs: number
  samples: Sample[]
}

export class KeptRequests {
  readonly #plan: RunPlan
  readonly #keep: KeepRequests
  readonly #random: Random
  /** More than are kept; those of the lowest rank are dropped now and then. */
  #ranked: { rank: number; row: Float64Array }[] = []
  #least = Number.NEGATIVE_INFINITY
  #startUs = 0

  constructor(plan: RunPlan, keep: KeepRequests) {
    this.#plan = plan
    this.#keep = keep
    this.#random = randomFrom(`traces:${plan.workload.seed}`)
  }

  add(rows: Float64Array, startUs: number): void {
    this.#startUs = startUs
    for (const row of rowsOf(rows)) {
      const latencyUs = rowLatencyUs(row)
      if (Number.isNaN(latencyUs)) continue
      const rank = this.#keep.how === 'slowest' ? latencyUs : this.#random()
      if (rank <= this.#least) continue
      this.#ranked.push({ rank, row: row.slice() })
      if (this.#ranked.length >= 2 * this.#keep.count) this.#drop()
    }
  }

  kept(): KeptSamples {
    this.#drop()
    const samples = this.#ranked.map(({ row }) => toSample(row, this.#plan, this.#startUs))
    return {
      how: this.#keep.how,
      startMs: unixMs(this.#startUs),
      samples: samples.sort((a, b) => (a.sentUs ?? 0) - (b.sentUs ?? 0)),
    }
  }

  #drop(): void {
    this.#ranked.sort((a, b) => b.rank - a.rank)
    this.#ranked.length = Math.min(this.#ranked.length, this.#keep.count)
    if (this.#ranked.length === this.#keep.count) this.#least = this.#ranked.at(-1)?.rank ?? this.#least
  }
}
