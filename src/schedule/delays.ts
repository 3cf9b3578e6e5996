/**
 * How long something takes where that is drawn: the simulated provider's delays, and the pauses of users. Fixed or
 * log-normal, each from a seed of its own. Pure.
 */
import { logNormal, randomFrom } from '../stats/random.ts'
import { parseDurationMs } from '../units.ts'

export type Delay = { kind: 'fixed'; us: number } | { kind: 'lognormal'; medianUs: number; sigma: number }

/** Of a given share of all values up to each of them, straight lines between: what no formula fits. */
export interface Quantiles {
  kind: 'quantiles'
  points: readonly { share: number; us: number }[]
}

/** As a provider takes it. */
export type ModelDelay = Delay | Quantiles

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

const QUANTILES = /^quantiles\(\s*([^()]+?)\s*\)$/i

/** The same, or 'quantiles(0:12ms,50:20ms,99:80ms,100:95ms)': percentiles from 0 to 100, none falling. */
export function parseModelDelay(text: string): ModelDelay | undefined {
  const inner = QUANTILES.exec(text.trim())?.[1]
  if (inner === undefined) return parseDelay(text)
  const points = inner.split(',').map((part) => {
    const [percent = '', time = ''] = part.split(':', 2)
    const ms = parseDurationMs(time.trim())
    return {
      share: percent.trim() === '' ? Number.NaN : Number(percent) / 100,
      us: ms === undefined ? Number.NaN : ms * 1_000,
    }
  })
  const rises = points.every(({ share, us }, i) => {
    const before = points[i - 1]
    return before === undefined ? share === 0 && us >= 0 : share > before.share && us >= before.us
  })
  return rises && points.length > 1 && points.at(-1)?.share === 1 ? { kind: 'quantiles', points } : undefined
}

/** The value that this share of a distribution lies below. */
export function quantileOf({ points }: Quantiles, share: number): number {
  const above = Math.max(
    1,
    points.findIndex((point) => point.share >= share),
  )
  const [from, to] = [points[above - 1], points[above]]
  if (!from || !to) return Number.NaN
  return from.us + ((to.us - from.us) * (share - from.share)) / (to.share - from.share)
}

/** One delay after another, in microseconds. */
export function delayDraws(delay: ModelDelay, seed: string): () => number {
  if (delay.kind === 'fixed') return () => delay.us
  const random = randomFrom(seed)
  if (delay.kind === 'quantiles') return () => quantileOf(delay, random())
  return () => logNormal(random, delay.medianUs, delay.sigma)
}
