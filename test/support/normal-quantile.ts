import { normalCdf } from '../../src/stats/distributions.ts'

/** The z below which the share `p` of a standard normal lies, to the last bit or two. */
export function normalQuantile(p: number): number {
  let [low, high] = [-40, 40]
  for (;;) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) return middle
    if (normalCdf(middle) < p) low = middle
    else high = middle
  }
}
