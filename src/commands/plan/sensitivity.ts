import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { renderSensitivity } from '../../output/sensitivity-table.ts'
import { planFlags } from '../../planning/plan-flags.ts'
import { sensitivityRequest } from '../../planning/sensitivity-request.ts'

const GROUP = 'SENSITIVITY'

export default class PlanSensitivity extends KtCommand {
  static override summary = 'What the plan hangs on: a tornado, scenarios side by side, and when growth uses it up.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --what-if upstream=h2 --what-if node=c6i.8xlarge,output-per-worker=1.05M',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --growth 8%/month --have 120 --lead-time 6w',
  ]

  static override flags = {
    ...planFlags,
    by: Flags.string({
      default: '20%',
      description: 'how far each input is moved, where no interval was measured',
      helpGroup: GROUP,
    }),
    'what-if': Flags.string({
      helpValue: 'key=value,…',
      multiple: true,
      description: "a scenario: options of 'kt plan' changed; repeatable",
      helpGroup: GROUP,
    }),
    growth: Flags.string({ helpValue: '8%/month', description: 'growth of the demand', helpGroup: GROUP }),
    have: Flags.string({ helpValue: '120', description: 'workers there are', helpGroup: GROUP }),
    'lead-time': Flags.string({ helpValue: '6w', description: 'from order to service', helpGroup: GROUP }),
    today: Flags.string({ helpValue: '2026-11-23', description: 'the day growth is counted from', helpGroup: GROUP }),
    all: Flags.boolean({ description: 'inputs that move nothing, too', helpGroup: GROUP }),
    json: Flags.boolean({ description: 'print the result as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanSensitivity)
    const result = await sensitivityRequest(flags)
    if (flags.json) this.printJson({ schema: 'kt.plan.sensitivity/1', ...result })
    else this.print(renderSensitivity(result, flags.all))
  }
}
