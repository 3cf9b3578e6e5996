/** Adding up what several threads counted. Pure. */
import { type EncodedHistogram, Histogram } from '../stats/histogram.ts'

/** Items with the same number together, in rising order of the number. */
export function groupByNumber<T>(items: readonly T[], numberOf: (item: T) => number): T[][] {
  const byNumber = new Map<number, T[]>()
  for (const item of items) {
    const group = byNumber.get(numberOf(item))
    if (group) group.push(item)
    else byNumber.set(numberOf(item), [item])
  }
  return [...byNumber].sort(([a], [b]) => a - b).map(([, group]) => group)
}

export function mergeHistograms(parts: readonly EncodedHistogram[]): EncodedHistogram {
  const [first, ...rest] = parts
  if (!first) throw new Error('nothing to merge')
  const merged = Histogram.decode(first)
  for (const part of rest) merged.addEncoded(part)
  return merged.encode()
}

export function mergeEach<K extends string>(
  parts: readonly Partial<Record<K, EncodedHistogram>>[],
): Record<K, EncodedHistogram> {
  const keys = new Set(parts.flatMap((part) => Object.keys(part) as K[]))
  const entries = [...keys].map((key) => [
    key,
    mergeHistograms(parts.flatMap((part): EncodedHistogram | EncodedHistogram[] => part[key] ?? [])),
  ])
  return Object.fromEntries(entries) as Record<K, EncodedHistogram>
}

export function addCounts<K extends string>(parts: readonly Partial<Record<K, number>>[]): Record<K, number> {
  const total = {} as Record<K, number>
  for (const part of parts) {
    for (const [key, count] of Object.entries(part) as [K, number][]) total[key] = (total[key] ?? 0) + count
  }
  return total
}

export function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

export function most<T>(items: readonly T[], of: (item: T) => number): number {
  return Math.max(...items.map(of))
}
