/** What became of the workers of a run, and what their machines withheld from it. */
import type { MachineEvidence } from '../../system/machine-watch.ts'
import type { RunRecord } from '../merge.ts'
import * as protocol from './protocol.ts'

export interface Member {
  card: protocol.Card
  facts: protocol.WorkerFacts | undefined
  record: RunRecord | undefined
  /** Why its part of the run is not to be counted on. */
  faults: string[]
}

/** The worst that any worker's machine withheld from a block. */
export function machineOf(members: readonly Member[], arm: number, block: number): MachineEvidence | undefined {
  const all = members.flatMap(({ facts, record }) => {
    const at = record?.arms[arm]?.blocks.findIndex(({ index }) => index === block) ?? -1
    return facts?.machine[arm]?.[at] ?? []
  })
  return all.length > 0 ? worst(all) : undefined
}

/** With the worker's name. */
export function faultsOf({ card, faults }: Member): string[] {
  return faults.map((fault) => `worker ${card.name}: ${fault}`)
}

/** Why what a worker measured is not to be counted on; empty where it is. */
export function faultsIn({ away, lateMs, clock }: protocol.WorkerFacts): string[] {
  const stood = away.map(({ ms }) => `it stood still for ${seconds(ms)}`)
  const late = lateMs > protocol.LATE_MS ? [`it began ${seconds(lateMs)} late`] : []
  return [...stood, ...late, ...(clock.fault === null ? [] : [clock.fault])]
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

/** Of one block on several machines: each figure as the worst of them has it. */
function worst(all: readonly MachineEvidence[]): MachineEvidence {
  const most = (of: (one: MachineEvidence) => number): number => Math.max(...all.map(of))
  const mostKnown = (of: (one: MachineEvidence) => number | null): number | null => {
    const known = all.flatMap((one) => of(one) ?? [])
    return known.length > 0 ? Math.max(...known) : null
  }
  return {
    spanMs: most(({ spanMs }) => spanMs),
    waitMs: most(({ waitMs }) => waitMs),
    targetsWaitMs: mostKnown(({ targetsWaitMs }) => targetsWaitMs),
    pressure: mostKnown(({ pressure }) => pressure),
    stealMs: mostKnown(({ stealMs }) => stealMs),
    throttledMs: mostKnown(({ throttledMs }) => throttledMs),
    starvedMs: most(({ starvedMs }) => starvedMs),
    starvedSpells: most(({ starvedSpells }) => starvedSpells),
    source: all.some(({ source }) => source === 'probe') ? 'probe' : 'schedstat',
  }
}
