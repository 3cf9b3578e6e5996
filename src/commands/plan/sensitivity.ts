import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { renderSensitivity } from '../../output/sensitivity-table.ts'
import { planFlags } from '../../planning/plan-flags.ts'
import { sensitivityRequest } from '../../planning/sensitivity-request.ts'

const GROUP = 'SENSITIVITY'

export default class PlanSensitivity extends KtCommand {
  static override summary = 'Show what the plan depends on: tornado, scenarios, and when growth exhausts it.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --what-if upstream=h2 --what-if ' +
      'node=c6i.8xlarge,output-per-worker=1.05M',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --growth 8%/month --have 120 ' +
      '--lead-time 6w',
  ]

  static override flags = {
    ...planFlags,
    by: Flags.string({
      default: '20%',
      description: 'change of each input, where no interval was measured',
      helpGroup: GROUP,
    }),
    'what-if': Flags.string({
      helpValue: 'key=value,…',
      multiple: true,
      description: "scenario: options of 'kt plan' to change; repeatable",
      helpGroup: GROUP,
    }),
    growth: Flags.string({ helpValue: '8%/month', description: 'growth of the demand', helpGroup: GROUP }),
    have: Flags.string({ helpValue: '120', description: 'number of workers you have', helpGroup: GROUP }),
    'lead-time': Flags.string({ helpValue: '6w', description: 'time from order to service', helpGroup: GROUP }),
    today: Flags.string({ helpValue: '2026-11-23', description: 'day from which growth counts', helpGroup: GROUP }),
    all: Flags.boolean({ description: 'show inputs without influence too', helpGroup: GROUP }),
    json: Flags.boolean({ description: 'print the result as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanSensitivity)
    const result = await sensitivityRequest(flags)
    if (flags.json) this.printJson({ schema: 'kt.plan.sensitivity/1', ...result })
    else this.print(renderSensitivity(result, flags.all))
  }
}
