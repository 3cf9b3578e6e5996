/**
 * What was measured for the rules, as plain data, and the few readings that several of them take from it: what the
 * gateway added to each token and to the end, by the provider's stamps.
 */
import type { ResponseHeaders } from '../../http1/fields.ts'
import type { ProviderRecord } from '../../overhead/provider-records.ts'
import { type ApiEndpoint, endpointOf } from '../../wire/endpoints.ts'
import { OUTCOMES, type Outcome } from '../../wire/outcome.ts'
import type { Stamp } from '../../wire/stamp.ts'
import type { TokenUsage } from '../../wire/usage.ts'

export interface TokenSeen {
  sinceSentUs: number
  stamp: Stamp | undefined
}

/** One request and what came of it. */
export interface ProbeAnswer {
  nonce: string
  outcome: Outcome
  detail: string
  streamed: boolean
  /** From sent to its end. */
  tookUs: number
  /** Token-bearing events, in the order in which they came. */
  tokens: TokenSeen[]
  usage: TokenUsage | undefined
  stamp: Stamp | undefined
  headers: ResponseHeaders
  trailers: ResponseHeaders
  /** All text of the answer. */
  text: string
  /** A stream that came to its end without its end mark. */
  unmarked: boolean
}

/** The simulated provider behind the gateway, as far as it is known. */
export interface ProviderView {
  /** What it did, by nonce. */
  truth: ReadonlyMap<string, readonly ProviderRecord[]>
  /** Streams asked of it directly; whole answers where there are no streams. */
  direct: readonly ProbeAnswer[]
  /** Connections to it since its start, by protocol. */
  connections: { http1: number; http2: number }
  /** Connections that a gateway started for this had opened before its first request. */
  warm: number | undefined
}

export interface Measurements {
  url: string
  endpoint: ApiEndpoint
  requests: number
  /** Connections that those of `whole` and `streams` took. */
  opened: number
  whole: readonly ProbeAnswer[]
  /** None of an endpoint that streams no answer. */
  streams: readonly ProbeAnswer[]
  /** One request that asks for the same answer each time (temperature 0), and once more. */
  repeated: readonly [ProbeAnswer, ProbeAnswer]
  /** Such a request by one client, and by another. */
  tenants: readonly [ProbeAnswer, ProbeAnswer]
  /** A header given for all requests makes the two clients one. */
  oneIdentity: boolean
  /** In turns: a prompt of words, and one of the same length on which careless patterns stall. */
  plain: readonly ProbeAnswer[]
  hostile: readonly ProbeAnswer[]
  /** A stream whose client left early; undefined of an endpoint that streams no answer. */
  left: ProbeAnswer | undefined
  provider: ProviderView | undefined
}

/** What was asked twice for one answer. */
export function askedTwice({ endpoint }: Measurements): string {
  return endpointOf(endpoint).temperature ? 'one request with temperature 0' : 'one request'
}

/** Why what streams show cannot be told of an endpoint that has none. */
export function noStreams({ endpoint }: Measurements): string | undefined {
  return endpointOf(endpoint).streams ? undefined : `answers of ${endpoint} are never streamed`
}

/** Why what needs the provider's own record cannot be told. */
export const NO_PROVIDER = 'no simulated provider is known behind the gateway: name it with --provider-url'
export const NO_STAMPS = "the answers bear no stamps of kt's simulated provider"

/** Streams that did not come whole, and why the most of them did not. */
export interface StreamFailures {
  asked: number
  failed: number
  why: string
}

export function streamFailures(streams: readonly ProbeAnswer[]): StreamFailures | undefined {
  const failed = streams.filter(({ outcome }) => outcome !== 'OK')
  const counts = new Map<Outcome, number>()
  for (const { outcome } of failed) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  const [usual] = failed.toSorted((a, b) => (counts.get(b.outcome) ?? 0) - (counts.get(a.outcome) ?? 0))
  if (!usual) return undefined
  const { outcome, detail } = usual
  const why = `${OUTCOMES[outcome].means} (${outcome}${detail === '' ? '' : `: ${detail}`})`
  return { asked: streams.length, failed: failed.length, why }
}

/** Why streams tell nothing by their stamps: none came, or they have none. */
export function noStamps(streams: readonly ProbeAnswer[]): string {
  const failures = streamFailures(streams)
  return failures && failures.failed === failures.asked ? `no stream came whole: ${failures.why}` : NO_STAMPS
}

export const NOT_STREAMED = 'the run was not streamed'

export function answered(answers: readonly ProbeAnswer[]): ProbeAnswer[] {
  return answers.filter(({ outcome }) => outcome === 'OK')
}

/** What the gateway added until each token came; empty where the stamps are missing, foreign or of a retry. */
export function addedByToken({ nonce, tokens }: ProbeAnswer): number[] {
  const added = tokens.flatMap(({ sinceSentUs, stamp }) =>
    isOwn(stamp, nonce) ? [sinceSentUs - stamp.providerUs] : [],
  )
  return added.length === tokens.length ? added : []
}

/** What it added until the end; undefined where the stamp is missing, foreign or of a retry. */
export function addedToEnd({ nonce, stamp, tookUs }: ProbeAnswer): number | undefined {
  return isOwn(stamp, nonce) ? tookUs - stamp.providerUs : undefined
}

/** Over how long its tokens came. */
export function spreadUs({ tokens }: ProbeAnswer): number {
  return (tokens.at(-1)?.sinceSentUs ?? 0) - (tokens[0]?.sinceSentUs ?? 0)
}

/**
 * Of each stream whose stamps are its own: what was added to each token, and over how long they came here and were
 * written there.
 */
export function streamDelays({ streams }: Measurements): { added: number[]; hereUs: number; thereUs: number }[] {
  return answered(streams).flatMap((answer) => {
    const added = addedByToken(answer)
    const [first, last] = [answer.tokens[0], answer.tokens.at(-1)]
    const thereUs = (last?.stamp?.providerUs ?? 0) - (first?.stamp?.providerUs ?? 0)
    return added.length > 0 ? [{ added, hereUs: spreadUs(answer), thereUs }] : []
  })
}

function isOwn(stamp: Stamp | undefined, nonce: string): stamp is Stamp {
  return stamp?.nonce === nonce && stamp.attempt === 1
}
