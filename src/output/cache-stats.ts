/** `kt cache stats` as a page. */
import type { CacheStats } from '../gateway-cli/answers.ts'
import { formatBytes, formatDuration, formatNumber, formatShare } from '../units.ts'
import { columns, paint } from './table.ts'

export function renderCacheStats(stats: CacheStats, color: boolean): string {
  const c = paint(color)
  const asked = stats.hits + stats.misses
  const share = asked > 0 ? `${formatShare(stats.hits / asked)} of what may be cached` : 'nothing asked yet'
  const entries = stats.entries === null ? 'unknown: the backend does not answer' : formatNumber(stats.entries)
  const size = stats.bytes === null ? '' : `, ${formatBytes(stats.bytes)}`
  const rows = [
    ['entries', entries, `of ${formatNumber(stats.max_entries)}${size}, for ${formatDuration(stats.ttl_ms)} each`],
    ['hits', formatNumber(stats.hits), share],
    ['  waited', formatNumber(stats.coalesced), "of them, for another request's answer"],
    ['misses', formatNumber(stats.misses), ''],
    ['bypassed', formatNumber(stats.bypassed), 'not to be cached by their nature'],
    ['stored', formatNumber(stats.stored), ''],
    ['evicted', formatNumber(stats.evicted), 'to make room'],
    ['errors', formatNumber(stats.errors), 'of the backend; their requests went on uncached'],
  ]
  const table = columns(
    rows.map(([name = '', figure = '', note = '']) => [name, figure, c.dim(note)]),
    ['left', 'right', 'left'],
  )
  return `${c.bold(`Cache (${stats.backend})`)}\n${table}`
}
