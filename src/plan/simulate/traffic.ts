/** Traffic for the fleet simulation: how many requests come in each second, and what their sizes are drawn from. */
import type { Trace } from '../../workload/traces/whole.ts'
import type { Demand, KindShare } from '../demand.ts'

export interface Traffic {
  name: string
  steps: number
  /** Requests in each step of one second. */
  requests: Float64Array
  /** Kinds of requests that sizes are drawn from; none where a trace has them. */
  kinds: readonly KindShare[]
  trace?: TraceRows | undefined
  longestTokens: number
}

interface TraceRows {
  /** Whether each request comes at its own time, and once. */
  recorded: boolean
  /** Where each step's rows begin and end in the columns below. */
  from: Uint32Array
  to: Uint32Array
  atS: Float64Array
  inputTokens: Float64Array
  outputTokens: Float64Array
}

export function traceTraffic({ name, atS, inputTokens, outputTokens }: Trace, scale: number): Traffic {
  const steps = Math.floor(atS.at(-1) ?? 0) + 1
  const requests = new Float64Array(steps)
  const [from, to] = [new Uint32Array(steps), new Uint32Array(steps)]
  let row = 0
  for (let step = 0; step < steps; step++) {
    from[step] = row
    while (row < atS.length && Math.floor(atS[row] ?? 0) === step) row++
    to[step] = row
    requests[step] = (row - (from[step] ?? 0)) * scale
  }
  return {
    name: `${name}${scale === 1 ? '' : ` x ${scale}`}`,
    steps,
    requests,
    kinds: [],
    trace: { recorded: scale === 1, from, to, atS, inputTokens, outputTokens },
    longestTokens: outputTokens.reduce((top, tokens) => Math.max(top, tokens), 0),
  }
}

export interface Burst {
  factor: number
  seconds: number
}

/** Steady at the demand's peak; the burst comes after a quarter of the time. */
export function steadyTraffic(demand: Demand, seconds: number, burst: Burst | undefined): Traffic {
  const kinds = kindsOf(demand)
  const begins = Math.floor(seconds / 4)
  const requests = Float64Array.from({ length: seconds }, (_, step) => {
    const bursting = burst !== undefined && step >= begins && step < begins + burst.seconds
    return demand.requestsPerSec * (bursting ? burst.factor : 1)
  })
  return {
    name: demand.form,
    steps: seconds,
    requests,
    kinds,
    longestTokens: Math.max(...kinds.map(({ outputTokens }) => outputTokens)),
  }
}

/** The kinds of the demand, in the sizes that its own tokens make them; one kind where it has none. */
function kindsOf({ request }: Demand): KindShare[] {
  const { kinds = [], inputTokens, outputTokens, inputScv } = request
  if (kinds.length === 0) return [{ share: 1, inputTokens, outputTokens, inputSigma: Math.sqrt(Math.log1p(inputScv)) }]
  const mean = (read: (kind: KindShare) => number): number =>
    kinds.reduce((sum, kind) => sum + kind.share * read(kind), 0)
  const [input, output] = [mean((kind) => kind.inputTokens), mean((kind) => kind.outputTokens)]
  return kinds.map((kind) => ({
    ...kind,
    inputTokens: kind.inputTokens * (inputTokens / input),
    // The number of streams in flight hangs on the mean length of answers alone (M/G/infinity).
    outputTokens: output === 0 ? outputTokens : kind.outputTokens * (outputTokens / output),
  }))
}
