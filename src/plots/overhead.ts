/** What the gateway adds, by definition and by its parts, beside the budgets. */
import type { OverheadResult, Run } from '../report/schema.ts'
import { bestReading } from '../verdict/judge-overhead.ts'
import { intervalText } from './distribution.ts'
import { cell, formatOf } from './formats.ts'
import { COLORS, type Plot } from './plot.ts'

interface Row {
  name: string
  count: number
  p50: number
  p99: number
  ci95?: OverheadResult['totalMs']['ci95']
  budgetMs: number | null
  verdict: string
}

/** Nothing where no answer tells an overhead. */
export function overheadPlots(...runs: readonly Run[]): Plot[] {
  const rows = runs.flatMap((run) => {
    const own = run.overhead.flatMap((entry) => rowsOf(entry, run))
    return runs.length === 1 ? own : own.map((row) => ({ ...row, name: `${run.name}: ${row.name}` }))
  })
  if (rows.length === 0) return []
  const format = formatOf('ms')
  const [{ name, p50, p99 } = { name: '', p50: 0, p99: 0 }] = rows
  const budgets = rows.flatMap(({ budgetMs }, index) => (budgetMs ? [[budgetMs, index] as const] : []))
  const whiskers = rows.flatMap(({ ci95 }, at) =>
    ci95 && ci95[1] !== null && !(ci95[0] === 0 && ci95[1] === 0) ? [{ at, low: ci95[0], high: ci95[1] }] : [],
  )
  return [
    {
      id: 'overhead',
      title: 'Overhead by component, and its budgets',
      says: `The ${name}: P50 ${format(p50)}, P99 ${format(p99)}. ${besideBudgets(rows)}`,
      x: { name: 'added (ms)', unit: 'ms', scale: 'linear', min: 0 },
      panels: [
        {
          y: { name: '', unit: 'plain', scale: 'category', categories: rows.map(({ name }) => name) },
          series: [
            { kind: 'bars', name: 'P50', color: COLORS.other, values: rows.map(({ p50 }) => Math.max(0, p50)) },
            { kind: 'bars', name: 'P99', color: COLORS.gateway, values: rows.map(({ p99 }) => Math.max(0, p99)) },
            ...(whiskers.length === 0
              ? []
              : [
                  {
                    kind: 'whiskers',
                    name: 'P99, 95 %',
                    color: COLORS.baseline,
                    along: 'x',
                    items: whiskers,
                  } as const,
                ]),
            ...(budgets.length === 0
              ? []
              : [{ kind: 'ticks', name: 'budget of P99', color: COLORS.bad, points: budgets } as const]),
          ],
        },
      ],
      table: {
        head: ['', 'requests', 'P50', 'P99', 'P99, 95 %', 'budget', 'verdict'],
        rows: rows.map(({ name, count, p50, p99, ci95, budgetMs, verdict }) => [
          name,
          cell(count, 'count'),
          cell(p50, 'ms'),
          cell(p99, 'ms'),
          intervalText(ci95),
          cell(budgetMs, 'ms'),
          verdict,
        ]),
      },
    },
  ]
}

/** Which P99 are proven to be above their budgets, and which are by the estimate alone. */
function besideBudgets(rows: readonly Row[]): string {
  const above = rows.filter(({ budgetMs, p99 }) => budgetMs !== null && p99 > budgetMs)
  const named = (of: readonly Row[]) => of.map(({ name }) => name).join(', ')
  const proven = above.filter(({ verdict }) => verdict === 'fail')
  const open = above.filter(({ verdict }) => verdict !== 'fail')
  const parts = [
    ...(proven.length > 0 ? [`P99 above its budget: ${named(proven)}.`] : []),
    ...(open.length > 0 ? [`Above it by the estimate, not proven: ${named(open)}.`] : []),
  ]
  return parts.join(' ') || 'No P99 lies above its budget.'
}

function rowsOf({ definition, count, totalMs, components = {} }: OverheadResult, run: Run): Row[] {
  const isJudged = bestReading(run)?.definition === definition
  const judged = isJudged ? run.gate?.checks.find(({ metric }) => metric === 'overhead.p99') : undefined
  // The gateway's own total is a part in reports, since it has a budget.
  const { total: own, ...others } = components
  const total = {
    name: `total, ${definition}`,
    count,
    p50: totalMs.p50,
    p99: totalMs.p99,
    ci95: totalMs.ci95,
    budgetMs: judged?.limit ?? own?.budgetMs ?? null,
    verdict: judged?.verdict ?? own?.verdict ?? '-',
  }
  const parts = Object.entries(others).map(([name, { verdict, ...part }]) => ({
    ...part,
    name: name.replaceAll('_', ' '),
    verdict: verdict ?? '-',
  }))
  return [total, ...parts]
}
