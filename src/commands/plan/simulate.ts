import { KtCommand } from '../../command.ts'
import { renderSimulation } from '../../output/simulation-table.ts'
import { flagsOf } from '../../parse/flags.ts'
import { simulateFleet } from '../../plan/simulate/fleet.ts'
import { parseSimulationFlags, simulationFlags, simulationRequest } from '../../planning/simulation-request.ts'

export default class PlanSimulate extends KtCommand {
  static override summary = 'Simulate the planned fleet: waiting times, a burst, a lost zone, the autoscaler.'
  static override description =
    'A seeded discrete-event simulation. Every worker has its own queue. Waiting is simulated request by ' +
    'request on a sample of workers; streams and the autoscaler are simulated for the whole fleet. With ' +
    '--trace the requests arrive as they were recorded, --scale times.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --workers 60 --duration 30m ' +
      '--lose-zone-at 10m',
    '<%= config.bin %> <%= command.id %> --trace trace.csv --scale 1000 --autoscale 70%',
  ]

  static override flags = flagsOf(simulationFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanSimulate)
    const given = parseSimulationFlags(flags)
    const { traffic, options } = await simulationRequest(given)
    const result = simulateFleet(traffic, options)
    if (given.json) this.printJson({ schema: 'kt.plan.simulation/1', traffic: traffic.name, options, result })
    else this.print(renderSimulation(traffic, options, result))
  }
}
