/** The arms of a run, or two runs beside each other, as plots show them. */
import { armsApart } from '../report/runs.ts'
import type { Run } from '../report/schema.ts'
import { COLORS, type Color } from './plot.ts'

export interface Arm {
  name: string
  run: Run
  color: Color
  /** Lines that are compared differ in more than their colour. */
  dashed: boolean
}

/** The arm that a report is about comes first, the baseline second. */
export function armsOf(run: Run): Arm[] {
  const apart = armsApart(run)
  if (!apart) return [{ name: run.name, run, color: COLORS.gateway, dashed: false }]
  return besides(apart.gateway, apart.baseline, apart.gateway.name, apart.baseline.name)
}

export function besides(gateway: Run, baseline: Run, name: string, baselineName: string): Arm[] {
  return [
    { name, run: gateway, color: COLORS.gateway, dashed: false },
    { name: baselineName, run: baseline, color: COLORS.baseline, dashed: true },
  ]
}
