/** The latency budgets of profiles/budgets.yaml: the gate's limit, and what each component of a gateway may take at P99. */
import { z } from 'zod'
import { readYaml } from '../parse/file.ts'
import { durationMs, durationOrZeroMs } from '../parse/quantity.ts'
import { COMPONENTS, type ComponentName } from '../slo/metrics.ts'
import { packaged } from '../system/package-info.ts'

const limit = durationOrZeroMs.optional()

const budgetsSchema = z.strictObject({
  total: durationMs,
  components: z
    .strictObject(Object.fromEntries(COMPONENTS.map((name) => [name, limit])) as Record<ComponentName, typeof limit>)
    .default({}),
})

export interface Budgets {
  totalMs: number
  /** Limits by component; what is not there has none. */
  components: Readonly<Record<string, number>>
}

export function readBudgets(path: string = packaged('profiles', 'budgets.yaml')): Budgets {
  const { total, components } = readYaml(path, budgetsSchema, 'budgets file')
  const limits = Object.entries(components).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, ms] as const]))
  return { totalMs: total, components: Object.fromEntries(limits) }
}
