/** Tables of requests in groups: a row for each model. */
import type { Run } from '../report/schema.ts'
import { formatMs, formatNumber } from '../units.ts'
import { columns, type Page } from './table.ts'

type Group = Omit<NonNullable<Run['models']>[number], 'model'>

/** Each of them where some group has it; of the usual page only the first ones. */
const COLUMNS = [
  ['Latency', 'latencyMs'],
  ['TTFT', 'ttftMs'],
  ['TPOT', 'tpotMs'],
  ['Overhead', 'overheadMs'],
] as const

/** '' where the run asks for one model. */
export function modelSection({ models = [] }: Run, page: Page): string {
  return groupTable(
    'By model (ms):',
    models.map(({ model, ...group }) => [model, group]),
    page,
  )
}

function groupTable(title: string, groups: readonly (readonly [string, Group])[], { c, width, explain }: Page): string {
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
