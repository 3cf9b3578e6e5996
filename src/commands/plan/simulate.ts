import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { renderSimulation } from '../../output/simulation-table.ts'
import { simulateFleet } from '../../plan/simulate/fleet.ts'
import { planFlags } from '../../planning/plan-flags.ts'
import { simulationRequest } from '../../planning/simulation-request.ts'

const GROUP = 'SIMULATION'

export default class PlanSimulate extends KtCommand {
  static override summary = 'Simulate the planned fleet: waiting times, a burst, a lost zone, the autoscaler.'
  static override description =
    'A seeded discrete-event simulation. Every worker has its own queue. Waiting is simulated request by ' +
    'request on a sample of workers; streams and the autoscaler are simulated for the whole fleet. With ' +
    '--trace the requests arrive as they were recorded, --scale times.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --workers 60 --lose-zone-at 10m',
    '<%= config.bin %> <%= command.id %> --trace trace.csv --scale 1000 --autoscale 70%',
  ]

  static override flags = {
    ...planFlags,
    workers: Flags.string({
      helpValue: '60',
      description: 'number of workers [default: the plan at its lower redundancy]',
      helpGroup: GROUP,
    }),
    duration: Flags.string({
      helpValue: '1h',
      description: 'duration, without a trace [default: 10m]',
      helpGroup: GROUP,
    }),
    burst: Flags.string({ helpValue: '2x30s', description: 'a burst after a quarter of the time', helpGroup: GROUP }),
    'lose-zone-at': Flags.string({
      helpValue: '10m',
      description: 'time at which zones are lost (--zones-lost of --zones)',
      helpGroup: GROUP,
    }),
    'lose-zone-for': Flags.string({
      helpValue: '15m',
      description: 'duration of the loss [default: to the end]',
      helpGroup: GROUP,
    }),
    autoscale: Flags.string({
      helpValue: '70%',
      description: 'autoscale on CPU (HPA) with this target',
      helpGroup: GROUP,
    }),
    'max-workers': Flags.string({
      helpValue: '120',
      description: 'upper bound of the autoscaler [default: four times the workers]',
      helpGroup: GROUP,
    }),
    'start-lag': Flags.string({
      helpValue: '60s',
      description: 'time until a new worker serves [default: 60s]',
      helpGroup: GROUP,
    }),
    seed: Flags.integer({ default: 1, description: 'the same seed gives the same run', helpGroup: GROUP }),
    json: Flags.boolean({ description: 'print the result as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanSimulate)
    const { traffic, options } = await simulationRequest(flags)
    const result = simulateFleet(traffic, options)
    if (flags.json) this.printJson({ schema: 'kt.plan.simulation/1', traffic: traffic.name, options, result })
    else this.print(renderSimulation(traffic, options, result))
  }
}
