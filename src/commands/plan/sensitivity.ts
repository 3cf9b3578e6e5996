import { KtCommand } from '../../command.ts'
import { renderSensitivity } from '../../output/sensitivity-table.ts'
import { flagsOf } from '../../parse/flags.ts'
import { rivalDemands } from '../../planning/plan-rules.ts'
import { parseSensitivityFlags, sensitivityFlags } from '../../planning/sensitivity-flags.ts'
import { sensitivityRequest } from '../../planning/sensitivity-request.ts'
import type { SensitivityJson } from '../../report/sensitivity-schema.ts'

export default class PlanSensitivity extends KtCommand {
  static override summary = 'Show what the plan depends on: tornado, scenarios, and when growth exhausts it.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --what-if upstream-http=h2 --what-if ' +
      'node=c6i.8xlarge,output-per-worker=1.05M',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --growth 8%/month --have 120 ' +
      '--lead-time 6w',
  ]

  static override flags = flagsOf(sensitivityFlags)

  static override rivals = rivalDemands

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanSensitivity)
    const request = parseSensitivityFlags(flags)
    const { options } = request
    const result = await sensitivityRequest(request)
    if (options.json) this.printJson({ schema: 'kt.plan.sensitivity/1', ...result } satisfies SensitivityJson)
    else this.print(renderSensitivity(result, options.all, this.page()))
  }
}
