/**
 * How long something takes where that is drawn: the simulated provider's delays, and the pauses of users. Fixed or
 * log-normal, each from a seed of its own. Pure.
 */
import { logNormal, randomFrom } from '../stats/random.ts'
import { parseDurationMs } from '../units.ts'

export type Delay = { kind: 'fixed'; us: number } | { kind: 'lognormal'; medianUs: number; sigma: number }

const MAX_SIGMA = 5
const LOG_NORMAL = /^lognormal\(\s*([^,()]+?)\s*,\s*(\d+(?:\.\d+)?|\.\d+)\s*\)$/i

/**
 * '20ms' (fixed) or 'lognormal(20ms,0.5)' (median, sigma of the logarithm, at most 5); undefined when it is neither.
 */
export function parseDelay(text: string): Delay | undefined {
  const match = LOG_NORMAL.exec(text.trim())
  const ms = parseDurationMs(match?.[1] ?? text)
  if (ms === undefined) return undefined
  if (!match) return { kind: 'fixed', us: Math.round(ms * 1_000) }
  const sigma = Number(match[2])
  return sigma <= MAX_SIGMA ? { kind: 'lognormal', medianUs: ms * 1_000, sigma } : undefined
}

/** One delay after another, in microseconds. */
export function delayDraws(delay: Delay, seed: string): () => number {
  if (delay.kind === 'fixed') return () => delay.us
  const random = randomFrom(seed)
  return () => logNormal(random, delay.medianUs, delay.sigma)
}
