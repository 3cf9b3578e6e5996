import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import type { Plan as PlanReport } from '../../report/plan-schema.ts'

export default class Plan extends KtCommand {
  static override summary = 'Size a gateway for a peak in tokens per second.'
  static override description =
    "Workers by the vendor's formula, with redundancy; the tier and what decided it; machines, and whether CPU or network binds. The figures are vendor defaults: replace them with what you measured."
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M',
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --redundancy 3 --json',
  ]

  static override flags = {
    'input-peak': Flags.string({ helpValue: '80M', description: 'peak input tokens per second' }),
    'output-peak': Flags.string({ helpValue: '10M', description: 'peak output tokens per second' }),
    ratio: Flags.string({
      helpValue: '4',
      description: 'R: input tokens that cost a worker as much as one output token',
    }),
    'output-per-worker': Flags.string({ helpValue: '1M', description: 'output tokens per second one worker passes' }),
    redundancy: Flags.string({ helpValue: '2-4', description: 'factor, or range of factors, on the workers' }),
    entities: Flags.string({ helpValue: '600', description: 'configured services and routes' }),
    rps: Flags.string({ helpValue: '250', description: 'peak requests per second; adds the size of one instance' }),
    sizing: Flags.string({
      helpValue: 'file.yaml',
      description: 'sizing figures (default: profiles/sizing/kong.yaml)',
    }),
    json: Flags.boolean({ description: 'print the plan as JSON (kt.plan/1)' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Plan)
    const [{ planRequest }, { readSizing }, { makePlan }, { renderPlan }, { PLAN_SCHEMA }, { ktVersion }] =
      await Promise.all([
        import('../../input/plan-request.ts'),
        import('../../input/sizing.ts'),
        import('../../plan/plan.ts'),
        import('../../render/plan-table.ts'),
        import('../../report/plan-schema.ts'),
        import('../../system/package-info.ts'),
      ])
    const { demand, overrides } = planRequest(flags)
    const plan: PlanReport = {
      schema: PLAN_SCHEMA,
      kt: { version: ktVersion },
      ...makePlan(demand, readSizing(flags.sizing), overrides),
    }
    if (flags.json) this.printJson(plan)
    else this.print(renderPlan(plan))
  }
}
