/** Tables of requests in groups: a row for each model; hits and misses of a cache. */
import type { Run } from '../report/schema.ts'
import { formatMs, formatNumber, formatShare } from '../units.ts'
import { columns, type Page, paragraph } from './table.ts'

type Group = Omit<NonNullable<Run['models']>[number], 'model'>

/** Each of them where some group has it; of the usual page only the first ones. */
const COLUMNS = [
  ['Latency', 'latencyMs'],
  ['TTFT', 'ttftMs'],
  ['TPOT', 'tpotMs'],
  ['Overhead', 'overheadMs'],
] as const

export type NamedGroup = readonly [name: string, group: Group]

/** None where the run asks for one model. */
export function modelGroups({ models = [] }: Run): NamedGroup[] {
  return models.map(({ model, ...group }) => [model, group])
}

/** None where no request repeats another. */
export function cacheGroups({ cache }: Run): NamedGroup[] {
  return cache
    ? [
        ['hits', cache.hits],
        ['misses', cache.misses],
      ]
    : []
}

export function modelSection(report: Run, page: Page): string {
  return groupTable('By model (ms):', modelGroups(report), page)
}

export function cacheSection(report: Run, page: Page): string {
  if (!report.cache) return ''
  const table = groupTable('By cache (ms):', cacheGroups(report), page)
  return `${table}\n${paragraph(cacheSentence(report), page, '  ')}`
}

/** How often the cache was hit, and who says so; '' where no request repeats another. */
export function cacheSentence({ cache, load, totals }: Run): string {
  const asked = load.workload.cacheHits
  if (!cache || !asked) return ''
  const { hitRate, repeated, toldBy } = cache
  const by = [
    ...(toldBy.header > 0 ? ["the gateway's header"] : []),
    ...(toldBy.stamp > 0 ? ["the provider's stamp"] : []),
    ...(toldBy.schedule > 0 ? ['what was repeated'] : []),
  ].join(' and ')
  const answered = formatNumber(totals.successful)
  const rate = `${formatShare(hitRate)} hits${by ? `, by ${by}` : ''}`
  const repeats = `repeated one of ${asked.pool} (${formatShare(asked.share)} asked)`
  return `${rate}; ${formatNumber(repeated)} of ${answered} answered requests ${repeats}.`
}

function groupTable(title: string, groups: readonly NamedGroup[], { c, width, explain }: Page): string {
  if (groups.length === 0) return ''
  const durations = COLUMNS.filter(
    ([name, of]) => groups.some(([, group]) => group[of]) && (explain || name !== 'TPOT'),
  )
  const someFailed = groups.some(([, { failed }]) => failed > 0)
  const someTokens = explain && groups.some(([, { outputTokensPerSec }]) => outputTokensPerSec !== null)
  const head = [
    c.bold(title),
    'Requests',
    ...(someFailed ? ['Failed'] : []),
    ...durations.flatMap(([name]) => [`${name} P50`, 'P99']),
    ...(someTokens ? ['Tokens/s'] : []),
  ]
  const rows = groups.map(([name, group]) => [
    `  ${name}:`,
    formatNumber(group.sent),
    ...(someFailed ? [formatNumber(group.failed)] : []),
    ...durations
      .flatMap(([, of]) => [group[of]?.p50, group[of]?.p99])
      .map((ms) => (ms === undefined ? '-' : formatMs(ms))),
    ...(someTokens ? [group.outputTokensPerSec === null ? '-' : formatNumber(group.outputTokensPerSec, 1)] : []),
  ])
  return columns([head, ...rows], { width, indent: 0 })
}
