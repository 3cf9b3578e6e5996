import { KtCommand } from '../../command.ts'
import { renderInstances } from '../../output/planning-tables.ts'
import { flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
import { rankInstances } from '../../plan/instances.ts'
import { instanceFlags, selectInstances } from '../../planning/instances.ts'
import { planRequest } from '../../planning/plan-request.ts'
import { PLAN_RULES, rivalDemands } from '../../planning/plan-rules.ts'
import type { InstancesJson } from '../../report/planning-schemas.ts'

export default class PlanInstances extends KtCommand {
  static override summary = 'Rank machines by the cost of the plan on each, with all constraints met.'
  static override description =
    'Nodes follow from allocatable CPU, sustained bandwidth, connections and memory, at least one in each ' +
    'zone; prices are dated list prices. Burstable machines are refused. GCP and Azure publish a ceiling ' +
    'instead of a bandwidth baseline, marked with <=: they stand below the others.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --cloud aws',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --measured-on c6i.4xlarge ' +
      '--price-file prices.yaml',
  ]

  static override flags = flagsOf(instanceFlags)

  static override rivals = rivalDemands

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanInstances)
    const options = parseFlags(flags, instanceFlags, 'kt plan instances', PLAN_RULES)
    // Each machine of the list has a price of its own.
    const { demand, sizing, choices } = await planRequest({ ...options, purchase: undefined })
    const { instances, measuredOn } = selectInstances(options)
    const ranked = rankInstances(demand, sizing, choices, instances, measuredOn)
    if (options.json)
      this.printJson({
        schema: 'kt.plan.instances/1',
        redundancy: choices.redundancy,
        zones: choices.parts.zones,
        measuredOn: measuredOn?.type ?? null,
        instances: ranked,
      } satisfies InstancesJson)
    else this.print(renderInstances(ranked, choices, measuredOn, options.all ? ranked.length : 12, this.page()))
  }
}
