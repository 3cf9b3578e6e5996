/**
 * Streams in flight as a fluid: a request's tokens begin after the time to first token and flow at the stream's pace
 * until they are out, whatever number of them there is. Kept as changes of rate in a ring over the coming seconds, so
 * memory is bounded by the longest stream and not by the traffic.
 */
export class Streams {
  tokensPerSec = 0
  inFlight = 0
  readonly #rate: Float64Array
  readonly #count: Float64Array
  readonly #pace: number
  readonly #ttftS: number
  #at = 0

  constructor(longestTokens: number, pace: number, ttftS: number) {
    const seconds = Math.ceil(ttftS + longestTokens / pace) + 3
    this.#rate = new Float64Array(seconds)
    this.#count = new Float64Array(seconds)
    this.#pace = pace
    this.#ttftS = ttftS
  }

  /** `requests` of `tokens` each begin in this second. */
  begin(requests: number, tokens: number): void {
    const seconds = tokens / this.#pace
    this.#change(this.#count, 0, requests)
    this.#change(this.#count, this.#ttftS + seconds, -requests)
    if (tokens === 0) return
    this.#change(this.#rate, this.#ttftS, requests * this.#pace)
    this.#change(this.#rate, this.#ttftS + seconds, -requests * this.#pace)
  }

  /** Takes the changes of this second; the next call is the next second's. */
  step(): void {
    const slot = this.#at % this.#rate.length
    this.tokensPerSec = Math.max(0, this.tokensPerSec + (this.#rate[slot] ?? 0))
    this.inFlight = Math.max(0, this.inFlight + (this.#count[slot] ?? 0))
    this.#rate[slot] = 0
    this.#count[slot] = 0
    this.#at++
  }

  /** Breaks a share of all streams off; returns how many. */
  breakOff(share: number): number {
    const broken = this.inFlight * share
    const left = 1 - share
    this.tokensPerSec *= left
    this.inFlight *= left
    for (let slot = 0; slot < this.#rate.length; slot++) {
      this.#rate[slot] = (this.#rate[slot] ?? 0) * left
      this.#count[slot] = (this.#count[slot] ?? 0) * left
    }
    return broken
  }

  /** A change that falls between two seconds is split over them, so that no token is lost to rounding. */
  #change(ring: Float64Array, afterS: number, by: number): void {
    const whole = Math.floor(afterS)
    const late = afterS - whole
    const [first, second] = [(this.#at + whole) % ring.length, (this.#at + whole + 1) % ring.length]
    ring[first] = (ring[first] ?? 0) + by * (1 - late)
    ring[second] = (ring[second] ?? 0) + by * late
  }
}
