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

/**
 * Kinds of requests by their mean tokens, and mixes of them. Hidden tokens (reasoning that the provider bills and keeps) never
 * cross the gateway: they count against a provider's quota and against nothing else here.
 */

export interface WorkloadProfile {
  name: string
  inputTokens: number
  /** Visible output tokens, those that cross the gateway. */
  outputTokens: number
  hiddenTokens: number
  streamed: boolean
  /** Sigma of ln tokens of the prompts, where it was fitted. */
  inputSigma?: number | undefined
  /** Peak over mean by the seconds of the window, where a trace of this kind was read. */
  peakToMean?: { windowS: number; factor: number }[] | undefined
  source: string
}

export interface MixPart {
  profile: WorkloadProfile
  /** Share of the requests; the shares of a mix sum to 1. */
  share: number
}

/** The mean request of a mix: tokens weighted by requests, the streamed share by the visible output it carries. */
export function meanRequest(parts: readonly MixPart[]): Shape {
  const mean = (read: (profile: WorkloadProfile) => number): number =>
    parts.reduce((sum, { profile, share }) => sum + share * read(profile), 0)
  const inputTokens = mean((profile) => profile.inputTokens)
  const outputTokens = mean((profile) => profile.outputTokens)
  const secondMoment = mean(({ inputTokens: tokens, inputSigma = 0 }) => tokens ** 2 * Math.exp(inputSigma ** 2))
  return {
    name: parts
      .map(({ profile, share }) => (parts.length === 1 ? profile.name : `${profile.name} ${percent(share)}`))
      .join(', '),
    inputTokens,
    outputTokens,
    hiddenTokens: mean((profile) => profile.hiddenTokens),
    streamedShare:
      outputTokens === 0 ? 0 : mean((profile) => (profile.streamed ? profile.outputTokens : 0)) / outputTokens,
    inputScv: inputTokens === 0 ? 0 : Math.max(0, secondMoment / inputTokens ** 2 - 1),
    source: [...new Set(parts.map(({ profile }) => profile.source))].join('; '),
    peakToMean: parts.length === 1 ? parts[0]?.profile.peakToMean : undefined,
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`
}
