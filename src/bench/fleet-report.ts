/** What the report says of a fleet: what became of each worker. */

import type { BlockRecord } from '../load/arm-record.ts'
import { startSkew } from '../load/fleet/clock-offset.ts'
import { faultsOf, type Member, machineOf } from '../load/fleet/members.ts'
import { toMs } from '../report/duration-summary.ts'
import type { BenchReport } from '../report/schema.ts'
import { Histogram } from '../stats/histogram.ts'

/** What the report says of the fleet, and of the machines of its blocks. */
export function reportOfFleet(run: string, members: readonly Member[]) {
  // They get other plans after this one.
  const now = members.map((member) => ({ ...member, faults: [...member.faults] }))
  return {
    fleet: describe(run, now),
    machineOf: (arm: number, { index }: Pick<BlockRecord, 'index'>) => machineOf(now, arm, index),
  }
}

function describe(run: string, members: readonly Member[]): NonNullable<BenchReport['fleet']> {
  const workers = members.map(({ card, facts, record }) => {
    const lag = record && Histogram.decode(record.sendLag)
    const starved = facts?.machine.flat().map(({ starvedMs }) => starvedMs)
    const pressure = facts?.machine.flat().flatMap((block) => block.pressure ?? [])
    const sent = record?.arms.flatMap(({ blocks }) => blocks.map((block) => block.sent))
    return {
      name: card.name,
      ...(Object.keys(card.labels).length > 0 ? { labels: card.labels } : {}),
      node: card.node,
      cores: card.cores,
      sent: sent ? sum(sent) : null,
      offsetMs: facts ? toMs(facts.clock.offsetUs) : null,
      offsetErrorMs: facts ? toMs(facts.clock.errorUs) : null,
      driftMs: facts?.clock.driftUs == null ? null : toMs(facts.clock.driftUs),
      roundTripMs: facts ? toMs(facts.clock.roundTripUs) : null,
      lateMs: facts ? toMs(Math.round(Math.max(0, facts.lateMs) * 1_000)) : null,
      sendLagP99Ms: lag && lag.count > 0 ? toMs(lag.quantileUs(0.99)) : null,
      achievedToOffered:
        record?.achievedToOffered == null ? null : Math.round(record.achievedToOffered * 1_000) / 1_000,
      eventLoopUtilization: record ? Math.round(record.self.eventLoopUtilization * 1_000) / 1_000 : null,
      pressure: pressure?.length ? Math.max(...pressure) : null,
      starvedMs: starved ? Math.round(sum(starved)) : null,
    }
  })
  const begun = members.flatMap(({ facts }) => {
    return facts ? [{ atUs: Math.max(0, facts.lateMs) * 1_000, errorUs: facts.clock.errorUs }] : []
  })
  return { run, beginErrorMs: toMs(startSkew(begun).atMostUs), faults: members.flatMap(faultsOf), workers }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
