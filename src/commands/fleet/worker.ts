import { hostname } from 'node:os'
import { z } from 'zod'
import { KtCommand } from '../../command.ts'
import { fleetNats, workerLabels } from '../../load/fleet/flags.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
import { untilAskedToStop } from '../../system/serve.ts'

const { text, toggle } = flagGroup()

const workerFlags = {
  ...fleetNats,
  name: text(z.string().min(1).max(200).optional(), 'its name in reports [default: the name of the host]'),
  labels: text(workerLabels.optional(), "what a run may choose it by, such as 'zone=a,rack=2'", {
    helpValue: 'zone=a',
  }),
  json: toggle('say where it waits as JSON'),
}

export default class FleetWorkerCommand extends KtCommand {
  static override summary = 'Wait at a NATS broker for the load of kt bench --fleet, and send it.'

  static override description =
    'A worker has one sending thread: start one for each core that may send, on as many machines as the load needs. ' +
    'It works for one run at a time. Without its coordinator it stops by itself within seconds; what it has ' +
    'measured stays with the broker.'

  static override examples = [
    '<%= config.bin %> fleet worker --nats nats://127.0.0.1:4222 --name rack-1 --labels zone=a',
  ]

  static override flags = flagsOf(workerFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(FleetWorkerCommand)
    const {
      nats,
      name = hostname(),
      labels = {},
      json,
      ...credentials
    } = parseFlags(flags, workerFlags, 'kt fleet worker')
    const asked = untilAskedToStop()
    const { accessFrom, connectTo } = await import('../../load/fleet/link.ts')
    const { startNullUpstream } = await import('../../bench/floor.ts')
    const { startFleetWorker } = await import('../../load/fleet/worker.ts')
    const link = await connectTo(nats, accessFrom(credentials, process.env), 'kt fleet worker')
    const note = (line: string): void => this.note(`kt fleet worker ${name}: ${line}`)
    const worker = startFleetWorker(link, { name, labels }, (args) => startNullUpstream(args, note), note)
    await link.nc.flush()
    this.print(
      json ? JSON.stringify({ url: nats, name, pid: process.pid }) : `kt fleet worker ${name} waits at ${nats}`,
    )
    await asked
    await worker.stop()
  }
}
