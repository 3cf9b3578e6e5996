import { KtCommand } from '../../command.ts'
import { fleetNats } from '../../load/fleet/flags.ts'
import { renderFleetStatus } from '../../output/fleet-table.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'

const statusFlags = { ...fleetNats, json: flagGroup().toggle('print the workers (kt.fleet.status/1) as JSON') }

export default class FleetStatusCommand extends KtCommand {
  static override summary = 'List the workers that wait at a NATS broker: versions, cores, clocks, round trips, load.'

  static override examples = ['<%= config.bin %> fleet status --nats nats://127.0.0.1:4222']

  static override flags = flagsOf(statusFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(FleetStatusCommand)
    const { nats, json, ...credentials } = parseFlags(flags, statusFlags, 'kt fleet status')
    const { accessFrom, connectTo } = await import('../../load/fleet/link.ts')
    const { fleetStatus } = await import('../../bench/fleet-status.ts')
    const link = await connectTo(nats, accessFrom(credentials, process.env), 'kt fleet status')
    const status = await fleetStatus(link, nats).finally(link.close)
    this.show({ json }, status, renderFleetStatus)
  }
}
