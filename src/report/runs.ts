/** The arms of a report as runs of their own: an arm's figures beside what all arms of its run share. */
import type { ArmResult, BenchReport, Run } from './schema.ts'
import type { Soak } from './soak-schema.ts'

/** The arm that the report is about, with its baseline. */
export function primaryRun(report: BenchReport): Run {
  const [first, ...others] = report.arms
  const baseline = others.find((arm) => arm.baseline)
  return { ...armRun(report, first), ...(baseline ? { baseline: armRun(report, baseline) } : {}) }
}

/** An arm by itself. */
export function armRun({ arms: _, ...shared }: BenchReport, { baseline: __, ...arm }: ArmResult): Run {
  return { ...shared, ...arm }
}

/** The run and its baseline apart, as if each had a report of its own; undefined where there is no baseline. */
export function armsApart({ baseline, ...gateway }: Run): { baseline: Run; gateway: Run } | undefined {
  return baseline && { baseline, gateway }
}

/**
 * Two reports of one arm each, which keep the id of the run; undefined where there is no baseline. Neither gets the
 * series, because both arms share it, and the SLO stays with the first arm.
 */
export function splitReport({
  slo,
  soak,
  ...report
}: BenchReport): Record<'baseline' | 'gateway', BenchReport> | undefined {
  const [first, ...others] = report.arms
  const found = others.find((arm) => arm.baseline)
  if (!found) return undefined
  const { baseline: _, ...baseline } = found
  const shared = { ...report, series: [], gate: null }
  return {
    baseline: { ...shared, ...soakOf(soak, baseline.name), arms: [baseline] },
    gateway: { ...shared, ...soakOf(soak, first.name), ...(slo ? { slo } : {}), arms: [first] },
  }
}

/** Without the latency of other arms. */
function soakOf(soak: Soak | undefined, arm: string): Pick<BenchReport, 'soak'> {
  const trends = soak?.trends.filter(({ of, name }) => of === 'memory' || name === arm) ?? []
  return soak && trends.length > 0 ? { soak: { ...soak, trends } } : {}
}
