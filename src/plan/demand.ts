/**
 * How much has to be carried, at the peak, whichever way it was said: tokens per second, requests per second or day, users, a
 * mix of profiles, or a trace. Output tokens are the visible ones, those that cross the gateway.
 */

/** The mean request, and how requests vary. */
export interface Shape {
  name: string
  inputTokens: number
  outputTokens: number
  hiddenTokens: number
  /** Share of the visible output tokens that is streamed. */
  streamedShare: number
  /** Squared coefficient of variation of the prompts' tokens. */
  inputScv: number
  source: string
  peakToMean?: { windowS: number; factor: number }[] | undefined
}

export interface Demand {
  /** How it was said, in words: 'peaks', '50,000 requests/day x 3'. */
  form: string
  inputTokensPerSec: number
  outputTokensPerSec: number
  /** Billed by the provider, never seen by the gateway. */
  hiddenTokensPerSec: number
  requestsPerSec: number
  /** Whether the rate was said, or follows from the tokens of an assumed mean request. */
  requestsKnown: boolean
  shape: Shape
  /** Share of requests that the gateway answers from its own cache: they use no upstream connection and no quota. */
  cacheHitShare: number
  /** Configured services and routes. */
  entities?: number | undefined
  window: { seconds: number; stated: boolean }
  /** How much higher the peak of one second lies than that of the window, and where that is known from. */
  burst: { factor: number; why: string }
  notes: string[]
}

/** Requests/s, from the rate or from the tokens; exactly what is known about the mean request is kept consistent with it. */
export function demandFromPeaks(
  peaks: { inputTokensPerSec: number; outputTokensPerSec: number; requestsPerSec?: number | undefined },
  shape: Shape,
  rest: Omit<
    Demand,
    'inputTokensPerSec' | 'outputTokensPerSec' | 'hiddenTokensPerSec' | 'requestsPerSec' | 'requestsKnown' | 'shape'
  >,
): Demand {
  const { inputTokensPerSec, outputTokensPerSec } = peaks
  const derived =
    shape.outputTokens > 0 ? outputTokensPerSec / shape.outputTokens : inputTokensPerSec / shape.inputTokens
  const requestsPerSec = peaks.requestsPerSec ?? derived
  const hiddenTokensPerSec = requestsPerSec * shape.hiddenTokens
  return {
    ...rest,
    inputTokensPerSec,
    outputTokensPerSec,
    hiddenTokensPerSec,
    requestsPerSec,
    requestsKnown: peaks.requestsPerSec !== undefined,
    shape: {
      ...shape,
      inputTokens: inputTokensPerSec / requestsPerSec,
      outputTokens: outputTokensPerSec / requestsPerSec,
    },
  }
}

/** From a rate of requests and the mean request. */
export function demandFromRate(
  requestsPerSec: number,
  shape: Shape,
  rest: Omit<
    Demand,
    'inputTokensPerSec' | 'outputTokensPerSec' | 'hiddenTokensPerSec' | 'requestsPerSec' | 'requestsKnown' | 'shape'
  >,
): Demand {
  return demandFromPeaks(
    {
      inputTokensPerSec: requestsPerSec * shape.inputTokens,
      outputTokensPerSec: requestsPerSec * shape.outputTokens,
      requestsPerSec,
    },
    shape,
    rest,
  )
}

/** Tokens per day and minute, as quotas and bills count them: input, visible and hidden output. */
export function tokensPerMinute(demand: Demand): number {
  return (demand.inputTokensPerSec + demand.outputTokensPerSec + demand.hiddenTokensPerSec) * 60
}

/** Peak over mean of one second against that of `windowS`, from a profile's table; 1 where nothing is known. */
export function burstOf(shape: Shape, windowS: number): { factor: number; why: string } {
  const table = shape.peakToMean
  if (windowS <= 1) return { factor: 1, why: 'the peak is one of a second' }
  const atOne = table?.find((entry) => entry.windowS === 1)
  const atWindow = table?.findLast((entry) => entry.windowS <= windowS)
  if (!atOne || !atWindow)
    return { factor: 1, why: `no trace of ${shape.name} was read: what a window of ${windowS} s hides is not known` }
  return {
    factor: atOne.factor / atWindow.factor,
    why: `peak of 1 s over peak of ${atWindow.windowS} s in the ${shape.name} trace; less for more traffic`,
  }
}
