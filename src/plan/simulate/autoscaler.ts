import { AUTOSCALING, type ScalingBounds } from '../autoscaling.ts'

export interface AutoscalerOptions extends ScalingBounds {
  startLagS: number
  /** How long a removed worker still carries its streams. */
  drainS: number
}

const { syncS, tolerance, up, down } = AUTOSCALING

/** The HPA as kt emits it: new workers serve after their start-up, removed ones finish their streams first. */
export class Autoscaler {
  ready: number
  readonly #options: AutoscalerOptions
  readonly #starting: { atS: number; workers: number }[] = []
  readonly #draining: { untilS: number; workers: number }[] = []
  readonly #wishes: { atS: number; workers: number }[] = []
  readonly #removed: { atS: number; workers: number }[] = []
  #utilisation = 0

  constructor(workers: number, options: AutoscalerOptions) {
    this.ready = workers
    this.#options = options
    // As Kubernetes does: what runs at the start counts as the first wish, so that nothing is removed within the first
    // window.
    this.#wishes.push({ atS: 0, workers })
  }

  get draining(): number {
    return sum(this.#draining)
  }

  get starting(): number {
    return sum(this.#starting)
  }

  /** One second at a utilisation of the ready workers. */
  step(nowS: number, utilisation: number): void {
    while ((this.#starting[0]?.atS ?? Number.POSITIVE_INFINITY) <= nowS)
      this.ready += this.#starting.shift()?.workers ?? 0
    while ((this.#draining[0]?.untilS ?? Number.POSITIVE_INFINITY) <= nowS) this.#draining.shift()
    this.#utilisation += utilisation / syncS
    if ((nowS + 1) % syncS !== 0) return
    this.#sync(nowS, this.#utilisation)
    this.#utilisation = 0
  }

  #sync(nowS: number, utilisation: number): void {
    const { target, min, max, startLagS, drainS } = this.#options
    const current = this.ready + this.starting
    const ratio = utilisation / target
    // Workers that are starting are taken as idle when going up, which damps it.
    const wanted = Math.abs(ratio - 1) <= tolerance ? current : Math.ceil(this.ready * ratio)
    const wish = Math.min(max, Math.max(min, wanted))
    this.#wishes.push({ atS: nowS, workers: wish })
    while ((this.#wishes[0]?.atS ?? nowS) < nowS - down.windowS) this.#wishes.shift()
    if (wish > current) {
      const most = Math.max(Math.ceil(current * (1 + up.percent / 100)), current + up.pods)
      this.#starting.push({ atS: nowS + startLagS, workers: Math.min(wish, most) - current })
      return
    }
    const highest = Math.max(...this.#wishes.map(({ workers }) => workers))
    const fewer = Math.min(this.ready, current - Math.max(highest, this.#lowest(nowS, current)))
    if (fewer <= 0) return
    this.ready -= fewer
    this.#removed.push({ atS: nowS, workers: fewer })
    this.#draining.push({ untilS: nowS + drainS, workers: fewer })
  }

  /** What the policy leaves: so many percent of what ran a period ago may go within it. */
  #lowest(nowS: number, current: number): number {
    while ((this.#removed[0]?.atS ?? nowS) <= nowS - down.periodS) this.#removed.shift()
    return Math.floor((current + sum(this.#removed)) * (1 - down.percent / 100))
  }
}

function sum(entries: readonly { workers: number }[]): number {
  return entries.reduce((total, { workers }) => total + workers, 0)
}
