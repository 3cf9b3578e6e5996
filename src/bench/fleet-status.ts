/** `kt fleet status`: which workers wait at a broker, whether they could work together, and what it keeps of runs. */
import type { Link } from '../load/fleet/link.ts'
import type { Card } from '../load/fleet/protocol.ts'
import { clockOf, findWorkers } from '../load/fleet/roll.ts'
import { toMs } from '../report/duration-summary.ts'
import { FLEET_STATUS_SCHEMA, type FleetStatus } from '../report/fleet-schema.ts'
import { ktVersion } from '../system/machine.ts'
import { keptRuns } from './collect.ts'

const ASKED_AT_ONCE = 8

export async function fleetStatus(link: Link, address: string): Promise<FleetStatus> {
  const found = await findWorkers(link)
  const workers: FleetStatus['workers'] = []
  // A few at once: of many, questions in a queue would wait for each other.
  const next = found.entries()
  const describeOthers = async (): Promise<void> => {
    for (const [place, card] of next) workers[place] = await describe(link, card)
  }
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, describeOthers))
  const running = new Set(found.map(({ run }) => run))
  const kept = (await keptRuns(await link.jsm())).filter((run) => !running.has(run))
  return { schema: FLEET_STATUS_SCHEMA, kt: ktVersion, broker: address, workers, kept }
}

async function describe(link: Link, card: Card): Promise<FleetStatus['workers'][number]> {
  const clock = await clockOf(link, card)
  const { id: _, load, ...shown } = card
  return {
    ...shown,
    load: Math.round(load * 100) / 100,
    offsetMs: clock ? toMs(clock.offsetUs) : null,
    offsetErrorMs: clock ? toMs(clock.errorUs) : null,
    roundTripMs: clock ? toMs(clock.roundTripUs) : null,
  }
}
