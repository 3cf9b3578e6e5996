import { KtCommand } from '../../command.ts'
import { renderSimulation } from '../../output/simulation-table.ts'
import { flagsOf } from '../../parse/flags.ts'
import { simulate } from '../../plan/simulate/simulate.ts'
import { rivalDemands } from '../../planning/plan-rules.ts'
import { parseSimulationFlags, simulationFlags, simulationRequest } from '../../planning/simulation-request.ts'
import type { SimulationJson } from '../../report/simulation-schema.ts'

export default class PlanSimulate extends KtCommand {
  static override summary = 'Simulate the planned fleet: waiting times, a burst, a lost zone, the autoscaler.'
  static override description =
    'A seeded discrete-event simulation. Every worker has its own queue. Waiting, connections, and the network ' +
    'and memory of nodes are simulated request by request on a sample of nodes; the autoscaler for the whole ' +
    'fleet. With --trace each request comes at its recorded time; with --scale each second has its own requests, ' +
    'so many times. Intervals are over the seeds.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --workers 60 --duration 10m ' +
      '--lose-zone-at 4m',
    '<%= config.bin %> <%= command.id %> --trace trace.csv --scale 1000 --autoscale planned',
  ]

  static override flags = flagsOf(simulationFlags)

  static override rivals = rivalDemands

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanSimulate)
    const given = parseSimulationFlags(flags)
    const { traffic, options, runs, node } = await simulationRequest(given)
    const result = simulate(traffic, options, runs)
    if (given.json) {
      const json: SimulationJson = { schema: 'kt.plan.simulation/1', traffic: traffic.name, options, node, result }
      this.printJson(json)
    } else this.print(renderSimulation(traffic, options, node, result, this.page()))
  }
}
