/**
 * The Kubernetes HPA as it behaves: every 15 s it wants ceil(workers x utilisation / target), stays within a tolerance of 10 %, goes
 * up by no more than double or 4, down only to the highest wish of the last 300 s; new workers serve after their start-up, removed
 * ones finish their streams first. Source: Kubernetes, horizontal pod autoscaling, algorithm details and default behaviour.
 */

export interface AutoscalerOptions {
  target: number
  min: number
  max: number
  startLagS: number
  /** How long a removed worker still carries its streams. */
  drainS: number
}

const SYNC_S = 15
const TOLERANCE = 0.1
const DOWN_WINDOW_S = 300

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
    // As Kubernetes does: what runs at the start counts as the first wish, so that nothing is removed within the first window.
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
