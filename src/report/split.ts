/** Takes a report of two arms apart into two reports of one arm each. They keep the id of the pair. */
import type { BenchReport } from './schema.ts'

/** Undefined when the report holds one arm. Neither report gets the series, because both arms share it. */
export function splitReport(report: BenchReport): { baseline: BenchReport; gateway: BenchReport } | undefined {
  const { baseline } = report.arms
  if (!baseline) return undefined
  const { name, url, role, ...figures } = baseline
  // Categories, SLO and what became of answers belong to the first arm.
  const { categories: _c, slo: _s, agreement: _a, ...shared } = report
  const { pairId, mode, pairing, primary } = report.arms
  const turns = { pairId, mode, ...(pairing ? { pairing } : {}) }
  const blocksOf = (arm: typeof name) => report.blocks.filter((block) => block.arm === arm)
  const { gateway: _, ...target } = report.target
  const named = baseline.signals?.gateway
  return {
    baseline: {
      ...shared,
      ...figures,
      target: {
        ...target,
        url,
        role: role ?? (name === 'direct' ? 'direct' : named ? 'gateway' : 'unknown'),
        ...(named ? { gateway: named } : {}),
      },
      arms: { ...turns, primary: name },
      blocks: blocksOf(name),
      series: [],
      gate: null,
    },
    gateway: {
      ...report,
      arms: { ...turns, primary, baselineUrl: url },
      blocks: blocksOf(primary),
      series: [],
      gate: null,
    },
  }
}
