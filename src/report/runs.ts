/** The arms of a report as runs of their own: an arm's figures beside what all arms of its run share. */
import type { ArmResult, BenchReport, Gate, Run } from './schema.ts'
import type { Soak } from './soak-schema.ts'

/** Each gateway of the report, with the baseline; the first is the one that the report is about. */
export function runsOf(report: BenchReport): [Run, ...Run[]] {
  const [first, ...others] = report.arms
  const found = others.find((arm) => arm.baseline)
  const baseline = found ? { baseline: armRun(report, found) } : {}
  const gateways = others.filter((arm) => arm !== found)
  const gateOf = (arm: ArmResult) => (gateways.length > 0 ? { gate: ownGate(report.gate, arm.name) } : {})
  const run = (arm: ArmResult): Run => ({ ...armRun(report, arm), ...baseline, ...gateOf(arm) })
  return [run(first), ...gateways.map(run)]
}

/** What was judged of one of several gateways. */
function ownGate(gate: Gate | null, name: string): Gate | null {
  const checks = gate?.checks.filter(({ arm }) => arm === name) ?? []
  const worst = (['fail', 'inconclusive'] as const).find((one) => checks.some(({ verdict }) => verdict === one))
  return checks.length === 0 ? null : { verdict: worst ?? 'pass', checks }
}

/** The gateway that the report is about, with its baseline. */
export function primaryRun(report: BenchReport): Run {
  return runsOf(report)[0]
}

/** An arm by itself. */
export function armRun({ arms: _, ranking: __, ...shared }: BenchReport, { baseline: ___, ...arm }: ArmResult): Run {
  return { ...shared, ...arm }
}

/** The run and its baseline apart, as if each had a report of its own; undefined where there is no baseline. */
export function armsApart({ baseline, ...gateway }: Run): { baseline: Run; gateway: Run } | undefined {
  return baseline && { baseline, gateway }
}

/**
 * A report of each arm, which keep the id of the run; undefined where there is one. They are called gateway and
 * baseline, and several gateways by their names. None gets the series, because all arms share it, and the SLO stays
 * with the first arm.
 */
export function splitReport({
  slo,
  soak,
  ranking: _,
  ...report
}: BenchReport): Record<string, BenchReport> | undefined {
  if (report.arms.length === 1) return undefined
  const names = splitNames(report.arms)
  const parts = report.arms.map(({ baseline, ...arm }, index): [string, BenchReport] => {
    const own = { ...report, series: [], gate: null, ...soakOf(soak, arm.name), ...(slo && index === 0 ? { slo } : {}) }
    return [names[index] ?? arm.name, { ...own, arms: [arm] }]
  })
  return Object.fromEntries(parts)
}

/** What each arm is called by itself. */
export function splitNames(arms: readonly { name: string; baseline?: true | undefined }[]): string[] {
  const gateways = arms.filter(({ baseline }) => !baseline)
  return arms.map(({ name, baseline }) => (baseline ? 'baseline' : gateways.length === 1 ? 'gateway' : name))
}

/** Without the latency of other arms. */
function soakOf(soak: Soak | undefined, arm: string): Pick<BenchReport, 'soak'> {
  const trends = soak?.trends.filter(({ of, name }) => of === 'memory' || name === arm) ?? []
  return soak && trends.length > 0 ? { soak: { ...soak, trends } } : {}
}
