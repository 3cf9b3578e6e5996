/** What is kept of a report of `kt bench --arm` and of a diagnosis, and what the short form demands of them. */
import { z } from 'zod'
import type { Scenario } from './scenarios.ts'

const quantiles = z.object({ p50: z.number(), p99: z.number() })
const interval = z.tuple([z.number().nullable(), z.number().nullable()])

const armSchema = z.object({
  name: z.string(),
  baseline: z.literal(true).optional(),
  dropped: z.object({ why: z.string() }).optional(),
  totals: z.object({
    sent: z.number(),
    successful: z.number(),
    failed: z.number(),
    outcomes: z.record(z.string(), z.number()),
    canceled: z
      .object({
        left: z.number(),
        wasted: z.object({ known: z.number(), writtenToTheEnd: z.number(), tokens: z.number() }).nullable(),
      })
      .optional(),
  }),
  latencyMs: quantiles.optional(),
  ttftMs: quantiles.optional(),
  throughput: z.object({ requestsPerSec: z.number() }),
  overhead: z.array(
    z.object({
      definition: z.string(),
      source: z.string(),
      count: z.number(),
      totalMs: quantiles,
      perTokenMs: quantiles.optional(),
      rejected: z.number(),
      cacheHits: z.number(),
      retried: z.number(),
      resolution: z.object({ errorMs: z.number() }).optional(),
    }),
  ),
  cache: z
    .object({
      hitRate: z.number(),
      hits: z.object({ latencyMs: quantiles.optional() }),
      misses: z.object({ latencyMs: quantiles.optional() }),
    })
    .optional(),
})

const reportSchema = z.object({
  machine: z.object({
    cpuModel: z.string(),
    cores: z.number(),
    memoryBytes: z.number(),
    kernel: z.string(),
    node: z.string(),
    loadAvgBefore: z.number(),
  }),
  arms: z.array(armSchema),
  processes: z
    .array(
      z.object({
        name: z.string(),
        readings: z.array(z.object({ cpuPercent: z.number(), rssBytes: z.number() })),
      }),
    )
    .default([]),
  gate: z
    .object({
      checks: z.array(
        z.object({
          arm: z.string().optional(),
          metric: z.string(),
          value: z.number().nullable(),
          ci95: interval.nullable(),
        }),
      ),
    })
    .nullable(),
})

export type Arm = z.infer<typeof armSchema>
type Report = z.infer<typeof reportSchema>
export type Machine = Report['machine']

export const JUDGED = ['overhead.p50', 'overhead.p99', 'delta.latency.p50'] as const
type Judged = (typeof JUDGED)[number]
export interface Figure {
  value: number
  ci95: [number | null, number | null] | null
}

export interface ArmReading extends Arm {
  /** By metric, with the interval by blocks. */
  figures: Partial<Record<Judged, Figure>>
  cpuPercent: number | null
  rssBytes: number | null
}

export interface Measured extends Scenario {
  command: string
  arms: ArmReading[]
}

export function readReport(text: string): { machine: Machine; arms: ArmReading[] } {
  const { machine, arms, processes, gate } = reportSchema.parse(JSON.parse(text))
  const alone = arms.filter(({ baseline }) => !baseline).length === 1
  return {
    machine,
    arms: arms.map((arm): ArmReading => {
      const readings = processes.find(({ name }) => name === arm.name)?.readings ?? []
      const figures = JUDGED.flatMap((metric) => {
        const check = gate?.checks.find(
          (one) => one.metric === metric && (one.arm === arm.name || (alone && !arm.baseline)),
        )
        return typeof check?.value === 'number' ? [[metric, { value: check.value, ci95: check.ci95 }]] : []
      })
      const highest = (values: number[]) => (values.length === 0 ? null : Math.max(...values))
      return {
        ...arm,
        figures: Object.fromEntries(figures),
        cpuPercent: highest(readings.map(({ cpuPercent }) => cpuPercent)),
        rssBytes: highest(readings.map(({ rssBytes }) => rssBytes)),
      }
    }),
  }
}

/** What did not end well, each outcome with its number. */
export function failuresOf({ totals }: Arm): string {
  return Object.entries(totals.outcomes)
    .filter(([outcome]) => outcome !== 'OK')
    .map(([outcome, count]) => `${count} \`${outcome}\``)
    .join(', ')
}

export function stampedOf({ overhead }: Arm) {
  return overhead.find(({ definition }) => definition === 'provider-stamped')
}

/** What the gateway says itself, by its own clock or by its wait. */
export function toldOf({ overhead }: Arm) {
  return overhead.find(({ definition }) => definition === 'self-reported' || definition === 'upstream-reported')
}

/** The smallest share of the answers that must bear stamps for a figure to be one of the gateway. */
const STAMPED = 0.95
/** Two P50s further apart than this, in share and in milliseconds, are in order by any reading. */
const APART = { times: 3, ms: 5 }

/** What is wrong by class, whatever the times are. */
export function faultsOf(scenario: string, arms: readonly ArmReading[]): string[] {
  const faults: string[] = []
  for (const arm of arms) {
    const { totals, dropped } = arm
    const fault = (words: string) => faults.push(`${scenario}: ${arm.name}: ${words}`)
    if (dropped) fault(`dropped: ${dropped.why}`)
    if (totals.successful < totals.sent)
      fault(`${totals.failed} of ${totals.sent} failed: ${JSON.stringify(totals.outcomes)}`)
    const stamped = stampedOf(arm)
    const told = toldOf(arm)
    const stamps = (stamped?.count ?? 0) + (stamped?.cacheHits ?? 0) + (stamped?.retried ?? 0)
    if (stamps < totals.successful * STAMPED) fault(`${stamps} stamps in ${totals.successful} answers`)
    // What a gateway says of itself is a part of what it added; a wait that it reports leaves kt's own time in.
    const most = (stamped?.totalMs.p50 ?? 0) * APART.times + APART.ms
    if (told && told.totalMs.p50 > most)
      fault(`it says ${told.totalMs.p50} ms, by stamps it is ${stamped?.totalMs.p50}`)
  }
  const gateways = arms.filter(({ baseline, latencyMs }) => !baseline && latencyMs)
  for (const low of gateways) {
    for (const high of gateways) {
      const [less, more] = [stampedOf(low)?.totalMs.p50 ?? 0, stampedOf(high)?.totalMs.p50 ?? 0]
      if (more < less * APART.times || more < less + APART.ms) continue
      if ((high.latencyMs?.p50 ?? 0) > (low.latencyMs?.p50 ?? 0)) continue
      faults.push(`${scenario}: by stamps ${high.name} adds more than ${low.name}, by latency less`)
    }
  }
  return faults
}
