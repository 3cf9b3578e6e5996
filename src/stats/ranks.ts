/**
 * Which of two small groups of figures is larger, without a distribution: the exact test of Mann and Whitney (1947,
 * Annals of Mathematical Statistics 18). If both come from one source, every order of them is equally likely.
 */

/** The probability of `high` lying above `low` in at least as many pairs as it does, if both are of one kind. */
export function aboveP(high: readonly number[], low: readonly number[]): number {
  const [n, m] = [high.length, low.length]
  const above = high.reduce((sum, value) => sum + low.filter((other) => value > other).length, 0)
  // ways[i][u]: how many orders of i high and j low figures have u pairs in which the high one is above, j by j.
  let ways = Array.from({ length: n + 1 }, () => [1])
  for (let j = 1; j <= m; j++) {
    const next: number[][] = [[1]]
    for (let i = 1; i <= n; i++) {
      // The largest of all is high, above all j low ones; or it is low, above nothing that counts.
      const [isHigh, isLow] = [next[i - 1] ?? [], ways[i] ?? []]
      next.push(Array.from({ length: i * j + 1 }, (_, u) => (isHigh[u - j] ?? 0) + (isLow[u] ?? 0)))
    }
    ways = next
  }
  const counts = ways[n] ?? []
  const sum = (of: readonly number[]): number => of.reduce((total, count) => total + count, 0)
  return n === 0 || m === 0 ? 1 : sum(counts.slice(above)) / sum(counts)
}
