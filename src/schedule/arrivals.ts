/**
 * How the arrivals of an open loop are spread: evenly, as a Poisson process, or with gamma-distributed gaps whose shape
 * is the burstiness (1 is Poisson, less is burstier, more is more even; the coefficient of variation is 1/sqrt(shape)).
 * Gap i is drawn from the seed and i alone (a counter-based generator), so an arrival does not depend on earlier draws.
 */

type ArrivalKind = 'constant' | 'poisson' | 'gamma'

export interface Arrival {
  kind: ArrivalKind
  /** The shape of the gamma distribution; without meaning for the other kinds. */
  burstiness: number
}

export const CONSTANT: Arrival = { kind: 'constant', burstiness: 1 }

/**
 * When arrival i comes, in mean gaps from the start: i itself for constant arrivals, else the sum of i + 1 random gaps
 * of mean 1.
 */
type Positions = (index: number) => number

/** A call costs one draw when `index` rises; when it goes back, the sum starts over and gives the same positions. */
export function drawPositions(arrival: Arrival, seed: number): Positions {
  if (arrival.kind === 'constant') return (index) => index
  const gap = arrival.kind === 'poisson' ? exponentialGap : gammaGap(arrival.burstiness)
  let last = -1
  let position = 0
  return (index) => {
    if (index < last) {
      last = -1
      position = 0
    }
    while (last < index) position += gap(seed, ++last)
    return position
  }
}

function exponentialGap(seed: number, index: number): number {
  return -Math.log(1 - uniformAt(seed, index, 0))
}

/**
 * Marsaglia and Tsang (2000): rejection from a normal; a shape below 1 is drawn from shape + 1 and boosted. Scaled to a
 * mean of 1.
 */
function gammaGap(shape: number): (seed: number, index: number) => number {
  const boosted = shape < 1 ? shape + 1 : shape
  const d = boosted - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  return (seed, index) => {
    for (let draw = 0; ; draw += 3) {
      const radius = Math.sqrt(-2 * Math.log(1 - uniformAt(seed, index, draw)))
      const x = radius * Math.cos(2 * Math.PI * uniformAt(seed, index, draw + 1))
      const v = (1 + c * x) ** 3
      if (v <= 0) continue
      if (Math.log(1 - uniformAt(seed, index, draw + 2)) >= 0.5 * x * x + d - d * v + d * Math.log(v)) continue
      const boost = shape < 1 ? (1 - uniformAt(seed, index, draw + 3)) ** (1 / shape) : 1
      return (d * v * boost) / shape
    }
  }
}

/** Uniform in [0, 1), a function of its arguments alone: murmur3's finisher, twice, over seed, index and draw. */
function uniformAt(seed: number, index: number, draw: number): number {
  const first = mix((seed ^ Math.imul(index + 1, 0x9e3779b9)) | 0)
  return (mix((first + Math.imul(draw + 1, 0x85ebca6b) + index) | 0) >>> 0) / 4_294_967_296
}

function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
