/**
 * What the commands of the reference gateway print: a checked config with a summary in the first line and every key
 * with its default marked, the figures of the cache, and percentiles of the events.
 */

import type { CacheStatsAnswer, EventStats } from '../gateway-cli/answers.ts'
import type { Effective, GatewayCheck } from '../gateway-cli/gateway-config.ts'
import { counted, formatBytes, formatDuration, formatNumber, formatShare } from '../units.ts'
import { numberFormat } from './column.ts'
import { columns, type Page, paragraph } from './table.ts'

export function renderGatewayCheck({ file, config, effective }: GatewayCheck, page: Page): string {
  const { host, port, providers, policies, workers } = config
  const upstreams = providers.map(({ name, origin, basePath }) => `${name} at ${origin}${basePath}`).join(', ')
  const also = [
    ...(workers > 1 ? [counted(workers, 'process', 'processes')] : []),
    ...(policies.length > 0 ? [counted(policies.length, 'policy', 'policies')] : []),
    ...(config.cache.enabled ? [`cache in ${config.cache.backend}`] : []),
  ]
  return [
    paragraph(`${file ?? 'the defaults'}: usable; ${[`${host}:${port} -> ${upstreams}`, ...also].join(', ')}`, page),
    ...config.notices.map((notice) => paragraph(notice, page, '- ')),
    '',
    ...lines(effective, 0),
  ].join('\n')
}

function lines(effective: Effective, indent: number): string[] {
  if (effective.kind !== 'map') return []
  return effective.entries.flatMap(([key, value]) => keyed(key, value, indent))
}

function keyed(key: string, value: Effective, indent: number): string[] {
  const pad = ' '.repeat(indent)
  if (value.kind === 'map' && value.entries.length > 0) return [`${pad}${key}:`, ...lines(value, indent + 2)]
  if (value.kind === 'list' && value.items.some(({ kind }) => kind === 'map')) {
    return [`${pad}${key}:`, ...value.items.flatMap((item) => dashed(item, indent + 2))]
  }
  return [marked(`${pad}${key}: ${inline(value)}`, value.given)]
}

function dashed(item: Effective, indent: number): string[] {
  const [first = '', ...rest] = lines(item, indent + 2)
  return [`${first.slice(0, indent)}- ${first.slice(indent + 2)}`, ...rest]
}

function inline(value: Effective): string {
  if (value.kind === 'map') return '{}'
  if (value.kind === 'list') return `[${value.items.map(inline).join(', ')}]`
  return scalar(value.value)
}

/** The value in a form that YAML reads back. */
function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  const bare =
    /^[\w./][\w./: @-]*$|^\$\{\w+\}$/.test(value) && !/: |^(?:true|false|null|yes|no|on|off|[\d.]+|.*:)$/i.test(value)
  return bare ? value : JSON.stringify(value)
}

function marked(line: string, given: boolean): string {
  return given ? line : `${line.padEnd(42)}  # default`
}

export function renderCacheStats(stats: CacheStatsAnswer, { c, width }: Page): string {
  const asked = stats.hits + stats.misses
  const share = asked > 0 ? `${formatShare(stats.hits / asked)} of the cacheable requests` : 'no requests yet'
  const entries = stats.entries === null ? 'unknown: the backend does not answer' : formatNumber(stats.entries)
  const size = stats.bytes === null ? '' : `, ${formatBytes(stats.bytes)}`
  const rows = [
    ['entries', entries, `of ${formatNumber(stats.max_entries)}${size}, for ${formatDuration(stats.ttl_ms)} each`],
    ['hits', formatNumber(stats.hits), share],
    ['  waited', formatNumber(stats.coalesced), "of them, for another request's answer"],
    ['misses', formatNumber(stats.misses), ''],
    ['bypassed', formatNumber(stats.bypassed), 'requests that cannot be cached'],
    ['stored', formatNumber(stats.stored), ''],
    ['evicted', formatNumber(stats.evicted), 'to make room'],
    ['errors', formatNumber(stats.errors), 'of the backend; their requests went on uncached'],
  ]
  const table = columns(
    rows.map(([name = '', figure = '', note = '']) => [name, figure, c.dim(note)]),
    { width, align: ['left', 'right', 'left'] },
  )
  return `${c.bold(`Cache (${stats.backend})`)}\n${table}`
}

interface EventStatsContext {
  source: string
  lastMs: number | undefined
  model: string | undefined
}

export function renderEventStats(stats: EventStats, context: EventStatsContext, page: Page): string {
  const { c, width } = page
  const of = context.model === undefined ? '' : ` of ${context.model}`
  const over = context.lastMs === undefined ? '' : ` over the last ${formatDuration(context.lastMs)}`
  const title = c.bold(`${stats.metric} (${stats.unit})${of}${over}`)
  const notes = [`from ${context.source}`, ...losses(stats)]
  if (stats.count === 0)
    return [title, '  no event has it', ...notes.map((note) => c.dim(paragraph(note, page, '  ')))].join('\n')
  const format = numberFormat(stats.percentiles.map(({ value }) => value))
  const show = stats.unit === 'ms' ? format : (value: number) => formatNumber(value)
  const rows = stats.percentiles.map(({ percentile, value, low, high }) => {
    // A quantile with fewer than ten observations beyond it is unreliable.
    const few = stats.count * (1 - percentile / 100) < 10 ? 'fewer than ten beyond it' : ''
    const interval = high === null ? `[${show(low)}, inf)` : `[${show(low)}, ${show(high)}]`
    return [`P${percentile}`, show(value), c.dim(interval), c.dim(few)]
  })
  const failed = stats.failed > 0 ? `, ${formatNumber(stats.failed)} of them failed` : ''
  const [mean, max] = [stats.mean, stats.max].map((value) => show(value ?? 0))
  const count = `${counted(stats.count, 'request')}${failed}; mean ${mean}, max ${max}`
  return [
    title,
    columns(rows, { width, align: ['left', 'right', 'right', 'left'] }),
    paragraph(count, page, '  '),
    ...['intervals: 95 %, for independent requests', ...notes].map((note) => c.dim(paragraph(note, page, '  '))),
  ].join('\n')
}

function losses({ dropped, unreadable }: EventStats): string[] {
  return [
    ...(dropped > 0 ? [`${counted(dropped, 'event was', 'events were')} dropped and not counted here`] : []),
    ...(unreadable > 0
      ? [`${counted(unreadable, 'line is no event and was', 'lines are no events and were')} excluded`]
      : []),
  ]
}
