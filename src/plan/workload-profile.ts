/**
 * Kinds of requests by their mean tokens, and mixes of them. Hidden tokens (reasoning that the provider bills and keeps) never
 * cross the gateway: they count against a provider's quota and against nothing else here.
 */
import type { Shape } from './demand.ts'

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
