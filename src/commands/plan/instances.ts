import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { renderInstances } from '../../output/planning-tables.ts'
import { rankInstances } from '../../plan/instances.ts'
import { selectInstances } from '../../planning/instances.ts'
import { planFlags } from '../../planning/plan-flags.ts'
import { planRequest } from '../../planning/plan-request.ts'

const GROUP = 'MACHINES'

export default class PlanInstances extends KtCommand {
  static override summary = 'Rank machines by the cost of the plan on each, with all constraints met.'
  static override description =
    'Nodes follow from allocatable CPU, sustained bandwidth, connections and memory, at least one in each ' +
    'zone; prices are dated list prices. Burstable machines are refused. GCP and Azure publish a ceiling ' +
    'instead of a bandwidth baseline, marked with <=.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --cloud aws',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --measured-on c6i.4xlarge ' +
      '--price-file prices.yaml',
  ]

  static override flags = {
    ...planFlags,
    cloud: Flags.option({ options: ['aws', 'gcp', 'azure'] as const })({
      description: 'only machines of this cloud',
      helpGroup: GROUP,
    }),
    region: Flags.string({ helpValue: 'us-east-1', description: 'only prices of this region', helpGroup: GROUP }),
    arch: Flags.option({ options: ['x86_64', 'arm64'] as const })({
      description: 'only machines of this architecture',
      helpGroup: GROUP,
    }),
    family: Flags.string({ helpValue: 'c5', description: 'only machines of this family', helpGroup: GROUP }),
    'price-file': Flags.string({
      helpValue: 'prices.yaml',
      description: 'your own prices, in USD/hour',
      helpGroup: GROUP,
    }),
    'measured-on': Flags.string({
      helpValue: 'c6i.4xlarge',
      description: 'machine that the figures were measured on: scales a worker by core speed',
      helpGroup: GROUP,
    }),
    all: Flags.boolean({ description: 'show all machines, not only the cheapest twelve', helpGroup: GROUP }),
    json: Flags.boolean({ description: 'print the ranking as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanInstances)
    const { demand, choices } = await planRequest(flags)
    const { instances, measuredOn } = selectInstances(flags)
    const ranked = rankInstances(demand, choices, instances, measuredOn)
    if (flags.json)
      this.printJson({
        schema: 'kt.plan.instances/1',
        redundancy: choices.redundancy,
        zones: choices.parts.zones,
        measuredOn: measuredOn?.type ?? null,
        instances: ranked,
      })
    else this.print(renderInstances(ranked, choices, measuredOn, flags.all ? ranked.length : 12))
  }
}
