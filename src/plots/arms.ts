/** The arms of a run, or two runs beside each other, as plots show them. */
import { armsApart } from '../report/runs.ts'
import type { Run } from '../report/schema.ts'
import { COLORS, type Color, PALETTE } from './plot.ts'

export interface Arm {
  name: string
  run: Run
  color: Color
  /** Lines that are compared differ in more than their colour. */
  dashed: boolean
}

/** The gateways that a report is about come first, the baseline last. */
export function armsOf(run: Run, others: readonly Run[] = []): Arm[] {
  if (others.length > 0) return severalOf([run, ...others])
  const apart = armsApart(run)
  if (!apart) return [{ name: run.name, run, color: COLORS.gateway, dashed: false }]
  return besides(apart.gateway, apart.baseline, apart.gateway.name, apart.baseline.name)
}

/** Where there are more than colours, those of the second round are dashed. */
function severalOf(runs: readonly Run[]): Arm[] {
  const colors = PALETTE.filter((color) => color !== COLORS.baseline)
  const gateways = runs.map((run, index): Arm => {
    const color = colors[index % colors.length] ?? COLORS.gateway
    return { name: run.name, run, color, dashed: index >= colors.length }
  })
  const baseline = runs[0]?.baseline
  return baseline
    ? [...gateways, { name: baseline.name, run: baseline, color: COLORS.baseline, dashed: true }]
    : gateways
}

export function besides(gateway: Run, baseline: Run, name: string, baselineName: string): Arm[] {
  return [
    { name, run: gateway, color: COLORS.gateway, dashed: false },
    { name: baselineName, run: baseline, color: COLORS.baseline, dashed: true },
  ]
}
