/**
 * A recorded trace of requests: when each came, its input and its output tokens. Peaks are the busiest span of a
 * window's length, wherever it lies (a sliding window, not calendar seconds), each of input, output and requests by
 * itself: they need not coincide, which errs on the safe side. Output counts when its request came.
 */
import type { Trace } from '../workload/traces/whole.ts'

interface TraceTotals {
  requests: number
  spanS: number
  inputTokens: number
  outputTokens: number
  /** Coefficient of variation of the times between arrivals. */
  interArrivalCv: number
}

interface WindowPeak {
  windowS: number
  requestsPerSec: number
  inputTokensPerSec: number
  outputTokensPerSec: number
}

export function traceTotals({ atS, inputTokens, outputTokens }: Trace): TraceTotals {
  const requests = atS.length
  const gaps = Array.from({ length: requests - 1 }, (_, i) => (atS[i + 1] ?? 0) - (atS[i] ?? 0))
  const mean = sum(gaps) / gaps.length
  const variance = sum(gaps.map((gap) => (gap - mean) ** 2)) / gaps.length
  return {
    requests,
    spanS: (atS[requests - 1] ?? 0) - (atS[0] ?? 0),
    inputTokens: sum(inputTokens),
    outputTokens: sum(outputTokens),
    interArrivalCv: Math.sqrt(variance) / mean,
  }
}

export function windowPeak(trace: Trace, windowS: number): WindowPeak {
  const { atS, inputTokens, outputTokens } = trace
  let [input, output] = [0, 0]
  let [topRequests, topInput, topOutput] = [0, 0, 0]
  let first = 0
  for (let i = 0; i < atS.length; i++) {
    input += inputTokens[i] ?? 0
    output += outputTokens[i] ?? 0
    // The window is half open: what came exactly a window ago has left it.
    while ((atS[i] ?? 0) - (atS[first] ?? 0) >= windowS) {
      input -= inputTokens[first] ?? 0
      output -= outputTokens[first] ?? 0
      first++
    }
    topRequests = Math.max(topRequests, i - first + 1)
    topInput = Math.max(topInput, input)
    topOutput = Math.max(topOutput, output)
  }
  return {
    windowS,
    requestsPerSec: topRequests / windowS,
    inputTokensPerSec: topInput / windowS,
    outputTokensPerSec: topOutput / windowS,
  }
}

/**
 * By how much the requests of the seconds of the busiest window vary more than those of a Poisson stream: their
 * variance over their mean, less 1. A window of a second has none: what bursts within it is not known.
 */
export function excessDispersion({ atS }: Trace, windowS: number): number {
  let [first, top, begins] = [0, 0, 0]
  for (let i = 0; i < atS.length; i++) {
    while ((atS[i] ?? 0) - (atS[first] ?? 0) >= windowS) first++
    if (i - first + 1 > top) [top, begins] = [i - first + 1, first]
  }
  const counts = new Array<number>(Math.max(1, Math.round(windowS))).fill(0)
  for (let i = begins; i < begins + top; i++) {
    const second = Math.min(counts.length - 1, Math.floor((atS[i] ?? 0) - (atS[begins] ?? 0)))
    counts[second] = (counts[second] ?? 0) + 1
  }
  const mean = sum(counts) / counts.length
  const variance = sum(counts.map((count) => (count - mean) ** 2)) / Math.max(1, counts.length - 1)
  return Math.max(0, variance / mean - 1)
}

/** Squared coefficient of variation of the prompts. */
export function inputScv({ inputTokens }: Trace): number {
  const mean = sum(inputTokens) / inputTokens.length
  let squares = 0
  for (const tokens of inputTokens) squares += (tokens - mean) ** 2
  return squares / inputTokens.length / mean ** 2
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
