/**
 * How long the simulated model takes: time to first token and the gap between tokens, each fixed or log-normal, drawn from
 * the request's own seed. The same request therefore costs the same upstream time through any path and in any run with the
 * same --seed. Pure: no clock, no timers (src/provider/alarm.ts waits).
 *
 * An answer of n tokens has its k-th token (k = 0..n-1) at ttft + the first k gaps, and ends at ttft + all n gaps, as a real
 * model spends one more step on its end-of-text token. A JSON answer and a stream of the same request end at the same time.
 */
import { logNormal, randomFrom } from '../stats/random.ts'
import { formatMs, parseDurationMs } from '../units.ts'

export type Latency = { kind: 'fixed'; us: number } | { kind: 'lognormal'; medianUs: number; sigma: number }

export interface LatencyModel {
  ttft: Latency
  tokenGap: Latency
  /** Combined with each request's own seed: another seed, another draw for every request. */
  seed: number
}

/** The delays of one request, in microseconds after its last body byte. */
export interface Pace {
  ttftUs: number
  /** The gap after the token just sent; call it once a token, in order. */
  nextGapUs: () => number
}

const MAX_SIGMA = 5
const LOG_NORMAL = /^lognormal\(\s*([^,()]+?)\s*,\s*(\d+(?:\.\d+)?|\.\d+)\s*\)$/i

/** '20ms' (fixed) or 'lognormal(20ms,0.5)' (median, sigma of the logarithm, at most 5); undefined when it is neither. */
export function parseLatency(text: string): Latency | undefined {
  const match = LOG_NORMAL.exec(text.trim())
  const ms = parseDurationMs(match?.[1] ?? text)
  if (ms === undefined) return undefined
  if (!match) return { kind: 'fixed', us: Math.round(ms * 1_000) }
  const sigma = Number(match[2])
  return sigma <= MAX_SIGMA ? { kind: 'lognormal', medianUs: ms * 1_000, sigma } : undefined
}

/** The printed form of a latency; what `parseLatency` reads. */
export function formatLatency(latency: Latency): string {
  return latency.kind === 'fixed'
    ? `${formatMs(latency.us / 1_000)}ms`
    : `lognormal(${formatMs(latency.medianUs / 1_000)}ms,${latency.sigma})`
}

/** The delays of the request whose own seed is `requestSeed`. */
export function paceOf(model: LatencyModel, requestSeed: string): Pace {
  // One stream for each quantity: a request for more tokens, or under another gap model, keeps its time to first token.
  const ttft = drawsOf(model.ttft, `${model.seed}:${requestSeed}`)
  return { ttftUs: ttft(), nextGapUs: drawsOf(model.tokenGap, `${model.seed}:${requestSeed}:gaps`) }
}

/** When a whole answer of `tokens` tokens is ready. Consumes the pace. */
export function wholeAnswerUs(pace: Pace, tokens: number): number {
  let totalUs = pace.ttftUs
  for (let i = 0; i < tokens; i++) totalUs += pace.nextGapUs()
  return totalUs
}

function drawsOf(latency: Latency, seed: string): () => number {
  if (latency.kind === 'fixed') return () => latency.us
  const random = randomFrom(seed)
  return () => logNormal(random, latency.medianUs, latency.sigma)
}
