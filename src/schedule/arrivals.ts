/**
 * How the arrivals of an open loop are spread over time: one table of processes, from which the option, its help, the
 * report and the words for a load follow. Gap i is drawn from the seed and i alone (a counter-based generator), so an
 * arrival does not depend on earlier draws.
 */

/** What a process may be told beside its name. */
interface ArrivalParameters {
  /** The shape of a gamma distribution; the coefficient of variation is 1/sqrt(shape). */
  burstiness: number
}

/**
 * When arrival i comes, in mean gaps from the start: i itself for constant arrivals, else the sum of i + 1 random gaps
 * of mean 1.
 */
type Positions = (index: number) => number

/** A random gap of mean 1. */
type Gap = (seed: number, index: number) => number

interface ArrivalProcess {
  /** What the help says of it. */
  help: string
  /** Those that mean something to it. */
  parameters: readonly (keyof ArrivalParameters)[]
  draw(parameters: ArrivalParameters, seed: number): Positions
}

const ARRIVALS = {
  constant: {
    help: 'evenly spaced',
    parameters: [],
    draw: () => (index) => index,
  },
  poisson: {
    help: 'independent of each other',
    parameters: [],
    draw: (_, seed) => sumGaps(exponentialGap, seed),
  },
  gamma: {
    help: 'by --burstiness',
    parameters: ['burstiness'],
    draw: ({ burstiness }, seed) => sumGaps(gammaGap(burstiness), seed),
  },
} as const satisfies Record<string, ArrivalProcess>

export type ArrivalKind = keyof typeof ARRIVALS

export interface Arrival extends ArrivalParameters {
  kind: ArrivalKind
}

export const ARRIVAL_KINDS = Object.keys(ARRIVALS) as ArrivalKind[]

export const DEFAULT_ARRIVAL: Arrival = { kind: 'constant', burstiness: 1 }

/** 'constant (evenly spaced), ...' */
export const ARRIVALS_IN_WORDS = ARRIVAL_KINDS.map((kind) => `${kind} (${ARRIVALS[kind].help})`).join(', ')

/** A call costs one draw when `index` rises; when it goes back, the sum starts over and gives the same positions. */
export function drawPositions(arrival: Arrival, seed: number): Positions {
  return ARRIVALS[arrival.kind].draw(arrival, seed)
}

/** The parameters that mean something to this kind of arrivals. */
export function parametersOf(arrival: Arrival): Partial<ArrivalParameters> {
  return Object.fromEntries(parametersOfKind(arrival.kind).map((name) => [name, arrival[name]]))
}

/** The processes to which `parameter` means something. */
export function kindsWith(parameter: keyof ArrivalParameters): ArrivalKind[] {
  return ARRIVAL_KINDS.filter((kind) => parametersOfKind(kind).includes(parameter))
}

/** 'gamma arrivals of burstiness 0.25', from what a report holds of them. */
export function describeArrivals(kind: ArrivalKind, given: { burstiness?: number | undefined }): string {
  const known = parametersOfKind(kind).filter((name) => given[name] !== undefined)
  return `${kind} arrivals${known.map((name) => ` of ${name} ${given[name]}`).join(' and')}`
}

function parametersOfKind(kind: ArrivalKind): ArrivalProcess['parameters'] {
  return ARRIVALS[kind].parameters
}

function sumGaps(gap: Gap, seed: number): Positions {
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
 * A shape of 1 is Poisson, less is burstier, more is more even. Marsaglia and Tsang (2000): rejection from a normal; a
 * shape below 1 is drawn from shape + 1 and boosted. Scaled to a mean of 1.
 */
function gammaGap(shape: number): Gap {
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
