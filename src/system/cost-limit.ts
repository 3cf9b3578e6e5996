/** Lets work that nobody waits for take a small share of a core: what would exceed it is left out until it is due. */

/** Of a core; receiving what is shown comes on top. Far fewer requests meet a draw than P99 is made of. */
const SHARE = 0.002
/** The first work runs code that is not compiled yet. */
const FIRST_US = 20_000

export class CostLimit {
  readonly #startUs = performance.now() * 1_000
  readonly #spentUs: () => number
  #takenUs = 0

  constructor(spentUs = threadCpuUs) {
    this.#spentUs = spentUs
  }

  /** Runs it, or not. */
  run(work: () => void): void {
    if (this.#takenUs > FIRST_US + SHARE * (performance.now() * 1_000 - this.#startUs)) return
    const beforeUs = this.#spentUs()
    work()
    this.#takenUs += this.#spentUs() - beforeUs
  }
}

/** Of this thread alone, where Node tells it (from 23.9 on); else the time that passed, which is never less. */
function threadCpuUs(): number {
  if (typeof process.threadCpuUsage !== 'function') return performance.now() * 1_000
  const { user, system } = process.threadCpuUsage()
  return user + system
}
