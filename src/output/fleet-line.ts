/** The fleet that sent a run, in words. */
import type { Run } from '../report/schema.ts'
import { counted, formatMs, formatNumber } from '../units.ts'

export interface FleetLine {
  text: string
  /** It is told without being asked for. */
  warn: boolean
}

export function fleetLine({ fleet }: Pick<Run, 'fleet'>): FleetLine | undefined {
  if (!fleet) return undefined
  const { workers, beginErrorMs, faults } = fleet
  const most = (of: (worker: (typeof workers)[number]) => number | null): number =>
    Math.max(0, ...workers.flatMap((worker) => of(worker) ?? []))
  const text = [
    `${counted(workers.length, 'worker')}, which began within ${formatMs(beginErrorMs)} ms of each other`,
    `clocks known within ${formatMs(most(({ offsetErrorMs }) => offsetErrorMs))} ms`,
    `the busiest thread ${formatNumber(100 * most(({ eventLoopUtilization }) => eventLoopUtilization))} % busy`,
    ...faults,
  ]
  return { text: text.join('; '), warn: faults.length > 0 }
}
