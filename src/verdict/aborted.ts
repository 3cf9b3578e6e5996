/** The gate of a run that a condition of --abort-on ended: it has failed that condition, whatever else it passed. */
import type { BenchReport, Check, Gate } from '../report/schema.ts'
import { parseAbortRule } from '../slo/abort-rule.ts'
import { counted, formatNumber } from '../units.ts'
import { toGate } from './checks.ts'

/** The gate of the report, with the check of that condition where one ended the run. */
export function withAbort(report: BenchReport): Gate | null {
  const check = abortCheck(report)
  return check ? toGate([check, ...(report.gate?.checks ?? [])]) : report.gate
}

function abortCheck({ aborted, arms }: BenchReport): Check | undefined {
  if (!aborted) return undefined
  const { rule, requests, over } = aborted
  const parsed = parseAbortRule(rule)
  if (!parsed.ok) throw new Error(`a run ended by '${rule}', which is no condition`)
  const { metric, op, limit, of } = parsed.value
  const what = of === 'errors' ? 'failed' : 'were over the limit'
  const other = arms.length > 2 ? ` of ${aborted.arm}` : ' of the other arm'
  const where = aborted.arm === arms[0].name && arms.length < 3 ? '' : other
  return {
    metric,
    op,
    limit,
    value: of === 'errors' ? over / requests : null,
    ci95: null,
    verdict: 'fail',
    why: `${formatNumber(over)} of ${counted(requests, 'request')}${where} ${what}, which ended the run`,
  }
}
