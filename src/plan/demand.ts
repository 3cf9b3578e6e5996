/**
 * The demand at the peak, in whichever of its forms a user gives it: tokens per second, requests per second or day,
 * users, a mix of kinds of requests, or a trace. Output tokens are the visible ones, those that cross the gateway.
 * Hidden tokens (reasoning that the provider bills and keeps) count against a provider's quota and against nothing else
 * here.
 */
import { formatPercent } from '../units.ts'

/** The mean request, and how requests vary. */
export interface MeanRequest {
  name: string
  inputTokens: number
  outputTokens: number
  hiddenTokens: number
  /** Share of the visible output tokens that is streamed. */
  streamedShare: number
  /** Squared coefficient of variation of the prompts' tokens. */
  inputScv: number
  source: string
  peakToMean?: PeakToMean | undefined
  /** What it is the mean of; a trace has its own requests. */
  kinds?: readonly KindShare[] | undefined
}

/** A kind within a mix: its share of the requests, its tokens, and the sigma of ln tokens of its prompts. */
export interface KindShare {
  share: number
  inputTokens: number
  inputSigma: number
  outputTokens: number
}

/** Peak over mean by the seconds of the window, and the trace it was read from. */
interface PeakToMean {
  of: string
  byWindow: readonly { windowS: number; factor: number }[]
}

export interface Demand {
  /** The form it was given in, for people: 'peaks in tokens/s', '50k requests/day x 3'. */
  form: string
  inputTokensPerSec: number
  outputTokensPerSec: number
  /** Billed by the provider, never seen by the gateway. */
  hiddenTokensPerSec: number
  requestsPerSec: number
  /** Whether the user gave the rate; else it follows from the tokens of an assumed mean request. */
  requestsKnown: boolean
  request: MeanRequest
  /** Share of requests that the gateway answers from its own cache: they use no upstream connection and no quota. */
  cacheHitShare: number
  /** Configured services and routes. */
  entities?: number | undefined
  window: { seconds: number; stated: boolean }
  /** How far the peak of one second lies above that of the window, and where that figure is from. */
  burst: { factor: number; why: string }
  /** The busiest minute over the peak of the window: quotas are of a minute. */
  minute: { factor: number; why: string }
  /**
   * Squared coefficient of variation of the times between arrivals, as the counts of seconds within the window show it;
   * 1 is a Poisson stream.
   */
  arrivalScv?: number | undefined
  /** Mean load of a month over the peak, where the demand says so. */
  meanLoad?: { share: number; why: string } | undefined
  notes: string[]
}

/** A day has its night, a week its end. */
export const UNKNOWN_MEAN = { share: 1 / 3, why: 'assumed (--mean-load)' }

/** A kind of requests, by its mean tokens. */
export interface RequestKind {
  name: string
  inputTokens: number
  /** Visible output tokens, those that cross the gateway. */
  outputTokens: number
  hiddenTokens: number
  streamed: boolean
  /** Sigma of ln tokens of the prompts, where it was fitted. */
  inputSigma?: number | undefined
  /** Where a trace of this kind was read. */
  peakToMean?: PeakToMean | undefined
  source: string
}

export interface MixPart {
  kind: RequestKind
  /** Share of the requests; the shares of a mix sum to 1. */
  share: number
}

/** What a demand holds beside its rates and its mean request. */
type DemandContext = Omit<
  Demand,
  'inputTokensPerSec' | 'outputTokensPerSec' | 'hiddenTokensPerSec' | 'requestsPerSec' | 'requestsKnown' | 'request'
>

/**
 * The demand of peaks in tokens/s. Where no rate is given, the rate follows from the tokens of the mean request; the
 * mean request is then what the peaks and the rate make it.
 */
export function demandFromPeaks(
  peaks: { inputTokensPerSec: number; outputTokensPerSec: number; requestsPerSec?: number | undefined },
  request: MeanRequest,
  rest: DemandContext,
): Demand {
  const { inputTokensPerSec, outputTokensPerSec } = peaks
  const derived =
    request.outputTokens > 0 ? outputTokensPerSec / request.outputTokens : inputTokensPerSec / request.inputTokens
  const requestsPerSec = peaks.requestsPerSec ?? derived
  const hiddenTokensPerSec = requestsPerSec * request.hiddenTokens
  return {
    ...rest,
    inputTokensPerSec,
    outputTokensPerSec,
    hiddenTokensPerSec,
    requestsPerSec,
    requestsKnown: peaks.requestsPerSec !== undefined,
    request: {
      ...request,
      inputTokens: inputTokensPerSec / requestsPerSec,
      outputTokens: outputTokensPerSec / requestsPerSec,
    },
  }
}

/** The demand of a rate of requests, each the mean request. */
export function demandFromRate(requestsPerSec: number, request: MeanRequest, rest: DemandContext): Demand {
  return demandFromPeaks(
    {
      inputTokensPerSec: requestsPerSec * request.inputTokens,
      outputTokensPerSec: requestsPerSec * request.outputTokens,
      requestsPerSec,
    },
    request,
    rest,
  )
}

/** The mean request of a mix: tokens weighted by requests, the streamed share by the visible output it carries. */
export function averageRequests(parts: readonly MixPart[]): MeanRequest {
  const mean = (read: (kind: RequestKind) => number): number =>
    parts.reduce((sum, { kind, share }) => sum + share * read(kind), 0)
  const inputTokens = mean((kind) => kind.inputTokens)
  const outputTokens = mean((kind) => kind.outputTokens)
  const secondMoment = mean(({ inputTokens: tokens, inputSigma = 0 }) => tokens ** 2 * Math.exp(inputSigma ** 2))
  return {
    name: parts
      .map(({ kind, share }) => (parts.length === 1 ? kind.name : `${kind.name} ${formatPercent(share)}`))
      .join(', '),
    inputTokens,
    outputTokens,
    hiddenTokens: mean((kind) => kind.hiddenTokens),
    streamedShare: outputTokens === 0 ? 0 : mean((kind) => (kind.streamed ? kind.outputTokens : 0)) / outputTokens,
    inputScv: inputTokens === 0 ? 0 : Math.max(0, secondMoment / inputTokens ** 2 - 1),
    kinds: parts.map(({ kind: { inputTokens: input, inputSigma = 0, outputTokens: output }, share }) => ({
      share,
      inputTokens: input,
      inputSigma,
      outputTokens: output,
    })),
    source: [...new Set(parts.map(({ kind }) => kind.source))].join('; '),
    // Of a mix the kind that bursts most: how the kinds' bursts fall together is not known.
    peakToMean: parts
      .flatMap(({ kind }) => kind.peakToMean ?? [])
      .sort((a, b) => secondOver(b, UNSTATED_WINDOW_S) - secondOver(a, UNSTATED_WINDOW_S))[0],
  }
}

/** A peak without a window is read as what a monitoring of minutes shows, and not as that of a second. */
export const UNSTATED_WINDOW_S = 60

/** How far the busiest second lies above the busiest window, by the table of a trace; 1 without a table. */
export function burstFactor({ name, peakToMean }: MeanRequest, windowS: number): { factor: number; why: string } {
  if (windowS <= 1) return { factor: 1, why: 'the peak is one of a second' }
  if (!peakToMean)
    return { factor: 1, why: `no trace of ${name} was read: what a window of ${windowS} s hides is not known` }
  const longest = peakToMean.byWindow.at(-1)?.windowS ?? 1
  return {
    factor: secondOver(peakToMean, windowS),
    why: `${
      windowS > longest
        ? `peak of 1 s over the mean in the ${peakToMean.of} trace, whose table ends at ${longest} s: at most that`
        : `peak of 1 s over peak of ${windowS} s in the ${peakToMean.of} trace`
    }; less for more traffic`,
  }
}

/** How far the busiest minute lies above, or below, the peak of the window. */
export function minuteFactor({ peakToMean }: MeanRequest, windowS: number): { factor: number; why: string } {
  if (windowS === MINUTE_S) return { factor: 1, why: 'the peak is one of a minute' }
  if (!peakToMean) return { factor: 1, why: `no trace was read: a peak of ${windowS} s is taken for a minute` }
  return {
    factor: secondOver(peakToMean, windowS) / secondOver(peakToMean, MINUTE_S),
    why: `peak of a minute over peak of ${windowS} s in the ${peakToMean.of} trace`,
  }
}

const MINUTE_S = 60

/** Between two windows of the table by the logarithm of both; above the last, the window's peak is its mean. */
function secondOver({ byWindow }: PeakToMean, windowS: number): number {
  const atOne = byWindow.find((entry) => entry.windowS === 1)?.factor ?? 1
  const above = byWindow.find((entry) => entry.windowS >= windowS)
  const below = byWindow.findLast((entry) => entry.windowS <= windowS)
  if (!above || !below) return atOne
  const span = Math.log(above.windowS / below.windowS)
  const part = span === 0 ? 0 : Math.log(windowS / below.windowS) / span
  return atOne / (below.factor * (above.factor / below.factor) ** part)
}

/** `factor` times the demand: as many more requests, of the same kind. */
export function timesDemand(demand: Demand, factor: number): Demand {
  return {
    ...demand,
    inputTokensPerSec: demand.inputTokensPerSec * factor,
    outputTokensPerSec: demand.outputTokensPerSec * factor,
    hiddenTokensPerSec: demand.hiddenTokensPerSec * factor,
    requestsPerSec: demand.requestsPerSec * factor,
  }
}
