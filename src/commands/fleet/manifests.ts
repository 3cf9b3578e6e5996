import { KtCommand } from '../../command.ts'
import { fleetManifestFlags, parseFleetFlags } from '../../manifests/fleet-flags.ts'
import { asList, asStream, loadManifests, manifestFiles, writeFolder } from '../../manifests/manifests.ts'
import { flagsOf } from '../../parse/flags.ts'

export default class FleetManifests extends KtCommand {
  static override summary = 'Write the Kubernetes objects of a fleet: its workers as an Indexed Job, and their NATS.'
  static override description =
    'Each worker is a pod on a node of its own, which no pod replaces. Without --nats a NATS server with JetStream ' +
    'is deployed; its user and password stand in a Secret that you make. The objects are validated by the schemas ' +
    'that Kubernetes publishes.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --workers 20 --cpu 2 | kubectl apply -f -',
    '<%= config.bin %> <%= command.id %> --workers 8 --cpu 4 --exclusive-cpus --to 10.1.0.0/16:8080 --out deploy',
    '<%= config.bin %> <%= command.id %> --workers 3 --nats nats://nats.messaging:4222 --json',
  ]

  static override flags = flagsOf(fleetManifestFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(FleetManifests)
    const { settings, out, json } = parseFleetFlags(flags, 'kt fleet manifests')
    const { fleetManifests, fleetSummary, fleetHints } = await loadManifests('kt fleet manifests', () => {
      return import('../../manifests/fleet.ts')
    })
    const manifests = fleetManifests(settings)
    const files = manifestFiles(`kt fleet: ${fleetSummary(settings)}`, manifests)
    if (out !== undefined) for (const path of await writeFolder(out, files, '--out')) this.note(`kt: wrote ${path}`)
    if (json) this.printJson(asList(manifests))
    else if (out === undefined) this.print(asStream(files))
    else this.print(fleetSummary(settings))
    for (const hint of fleetHints(settings)) this.note(`kt: ${hint}`)
  }
}
