/**
 * What became of the workers of a run, and what their machines withheld from it. Of each worker a few figures are kept:
 * its record is added to those of the others as it comes.
 */
import type { PackedHistogram } from '../../stats/histogram.ts'
import type { MachineEvidence } from '../../system/machine-watch.ts'
import type { RunRecord } from '../merge.ts'
import * as protocol from './protocol.ts'

export interface Member {
  card: protocol.Card
  /** Undefined without a result. */
  told: WorkerTold | undefined
  /** Why its part of the run is not to be counted on. */
  faults: string[]
}

/** What a worker's result says of the worker alone. */
export interface WorkerTold extends Pick<RunRecord, 'sendLag' | 'achievedToOffered' | 'self'> {
  clock: protocol.WorkerFacts['clock']
  lateMs: number
  sent: number
  /** The first arm's readings by stamps. */
  stamped: PackedHistogram | undefined
  /** Over all its blocks. */
  pressure: number | null
  starvedMs: number
}

export function toldBy({ clock, lateMs, machine }: protocol.WorkerFacts, record: RunRecord): WorkerTold {
  const { achievedToOffered, self, arms } = record
  const pressures = machine.flat().flatMap(({ pressure }) => pressure ?? [])
  return {
    ...{ clock, lateMs, achievedToOffered, self },
    sendLag: ownCopy(record.sendLag),
    sent: arms.flatMap(({ blocks }) => blocks).reduce((sum, { sent }) => sum + sent, 0),
    stamped: arms[0] && ownCopy(arms[0].stamped.total),
    pressure: pressures.length > 0 ? Math.max(...pressures) : null,
    starvedMs: machine.flat().reduce((sum, { starvedMs }) => sum + starvedMs, 0),
  }
}

/** Its counts lie in the message of the whole record, which would be kept with them. */
function ownCopy(packed: PackedHistogram): PackedHistogram {
  return { ...packed, counts: packed.counts.slice() }
}

/** By block, the worst that any worker's machine withheld from it. */
export class BlockMachines {
  /** By arm. */
  readonly #worst: Map<number, MachineEvidence>[] = []

  add({ machine }: protocol.WorkerFacts, { arms }: RunRecord): void {
    for (const [arm, { blocks }] of arms.entries()) {
      this.#worst[arm] ??= new Map()
      const worst = this.#worst[arm]
      for (const [at, { index }] of blocks.entries()) {
        const [known, found] = [worst.get(index), machine[arm]?.[at]]
        if (found) worst.set(index, known ? worstOf(known, found) : found)
      }
    }
  }

  of(arm: number, block: number): MachineEvidence | undefined {
    return this.#worst[arm]?.get(block)
  }
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

/** Of one block on two machines: each figure as the worse of them has it. */
function worstOf(a: MachineEvidence, b: MachineEvidence): MachineEvidence {
  const known = (one: number | null, other: number | null): number | null => {
    return one === null || other === null ? (one ?? other) : Math.max(one, other)
  }
  return {
    spanMs: Math.max(a.spanMs, b.spanMs),
    waitMs: Math.max(a.waitMs, b.waitMs),
    targetsWaitMs: known(a.targetsWaitMs, b.targetsWaitMs),
    pressure: known(a.pressure, b.pressure),
    stealMs: known(a.stealMs, b.stealMs),
    throttledMs: known(a.throttledMs, b.throttledMs),
    starvedMs: Math.max(a.starvedMs, b.starvedMs),
    starvedSpells: Math.max(a.starvedSpells, b.starvedSpells),
    source: a.source === 'probe' ? a.source : b.source,
  }
}
