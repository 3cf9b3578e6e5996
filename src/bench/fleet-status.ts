/** `kt fleet status`: which workers wait at a broker, whether they could work together, and what it keeps of runs. */
import type { Link } from '../load/fleet/link.ts'
import { clockOf, findWorkers } from '../load/fleet/roll.ts'
import { toMs } from '../report/duration-summary.ts'
import { FLEET_STATUS_SCHEMA, type FleetStatus } from '../report/fleet-schema.ts'
import { ktVersion } from '../system/machine.ts'
import { keptRuns } from './collect.ts'

export async function fleetStatus(link: Link, address: string): Promise<FleetStatus> {
  const found = await findWorkers(link)
  const workers: FleetStatus['workers'] = []
  // One after another: questions in a queue would wait for each other.
  for (const card of found) {
    const clock = await clockOf(link, card)
    const { id: _, load, ...shown } = card
    workers.push({
      ...shown,
      load: Math.round(load * 100) / 100,
      offsetMs: clock ? toMs(clock.offsetUs) : null,
      offsetErrorMs: clock ? toMs(clock.errorUs) : null,
      roundTripMs: clock ? toMs(clock.roundTripUs) : null,
    })
  }
  const running = new Set(found.map(({ run }) => run))
  const kept = (await keptRuns(await link.jsm())).filter((run) => !running.has(run))
  return { schema: FLEET_STATUS_SCHEMA, kt: ktVersion, broker: address, workers, kept }
}
