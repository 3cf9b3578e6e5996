/**
 * Seeded randomness: the same seed gives the same run on every machine. sfc32 (Chris Doty-Humphrey, PractRand) seeded
 * from a 32-bit hash; normals by Box-Muller. Not for secrets.
 */

/** Uniform in [0, 1). */
export type Random = () => number

/** A stream of uniforms for `seed`; streams of different seeds are independent for all practical purposes. */
export function randomFrom(seed: number | string): Random {
  let a = hash32(String(seed))
  let b = hash32(`${seed}:b`)
  let c = hash32(`${seed}:c`)
  let counter = 1
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

/** FNV-1a over UTF-16 units, finished with murmur3's mixer: 32 unsigned bits. */
export function hash32(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A standard normal. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** A log-normal with the given median and sigma of its logarithm. */
export function logNormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random))
}
