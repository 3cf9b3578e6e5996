/** What the report says of a fleet: what became of each worker. */

import type { BlockRecord } from '../load/arm-record.ts'
import { startSkew } from '../load/fleet/clock-offset.ts'
import { type BlockMachines, faultsOf, type Member } from '../load/fleet/members.ts'
import { toMs } from '../report/duration-summary.ts'
import type { BenchReport } from '../report/schema.ts'
import { Histogram } from '../stats/histogram.ts'

/** What the report says of the fleet, and of the machines of its blocks. */
export function reportOfFleet(run: string, members: readonly Member[], machines: BlockMachines) {
  return {
    fleet: describe(run, members),
    machineOf: (arm: number, { index }: Pick<BlockRecord, 'index'>) => machines.of(arm, index),
  }
}

function describe(run: string, members: readonly Member[]): NonNullable<BenchReport['fleet']> {
  const begun = members.flatMap(({ told }) => {
    return told ? [{ atUs: Math.max(0, told.lateMs) * 1_000, errorUs: told.clock.errorUs }] : []
  })
  return {
    run,
    beginErrorMs: toMs(startSkew(begun).atMostUs),
    faults: members.flatMap(faultsOf),
    workers: members.map(describeWorker),
  }
}

function describeWorker({ card, told }: Member): NonNullable<BenchReport['fleet']>['workers'][number] {
  const lag = told && Histogram.unpack(told.sendLag)
  return {
    name: card.name,
    ...(Object.keys(card.labels).length > 0 ? { labels: card.labels } : {}),
    node: card.node,
    cores: card.cores,
    sent: told ? told.sent : null,
    offsetMs: told ? toMs(told.clock.offsetUs) : null,
    offsetErrorMs: told ? toMs(told.clock.errorUs) : null,
    driftMs: told?.clock.driftUs == null ? null : toMs(told.clock.driftUs),
    roundTripMs: told ? toMs(told.clock.roundTripUs) : null,
    lateMs: told ? toMs(Math.round(Math.max(0, told.lateMs) * 1_000)) : null,
    sendLagP99Ms: lag && lag.count > 0 ? toMs(lag.quantileUs(0.99)) : null,
    achievedToOffered: told?.achievedToOffered == null ? null : toThousandths(told.achievedToOffered),
    eventLoopUtilization: told ? toThousandths(told.self.eventLoopUtilization) : null,
    pressure: told?.pressure ?? null,
    starvedMs: told ? Math.round(told.starvedMs) : null,
  }
}

function toThousandths(share: number): number {
  return Math.round(share * 1_000) / 1_000
}
