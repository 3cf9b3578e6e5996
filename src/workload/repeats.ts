/**
 * Requests that repeat others, so that a cache between kt and the model is met at a known rate: a pool is sent and
 * answered before the run, and a share of the run's requests, drawn by the seed, are those of the pool again, nonce and
 * all. Which request repeats which is a function of the seed and its number alone.
 */
import { hash32 } from '../stats/random.ts'

/** Plain data. */
export interface Repeats {
  /** Of the requests of the run. */
  share: number
  /** How many requests there are to repeat. */
  pool: number
}

/** Small enough for any cache to keep, and to be worth its price. */
export const POOL = 20

/** Requests of the pool are numbered from here on, above all others. */
const POOL_FROM = 2 ** 41

export function poolNumbers({ pool }: Repeats): number[] {
  return Array.from({ length: pool }, (_, place) => POOL_FROM + place)
}

/** The number of the request that request `index` repeats; undefined where it is one of its own. */
export function repeatOf({ share, pool }: Repeats, seed: number, index: number): number | undefined {
  if (index >= POOL_FROM || hash32(`${seed}/${index}/repeats`) >= share * 2 ** 32) return undefined
  return POOL_FROM + (hash32(`${seed}/${index}/repeated`) % pool)
}
