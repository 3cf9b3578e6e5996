import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { planFlags } from '../../input/plan-flags.ts'
import type { Plan as PlanReport } from '../../report/plan-schema.ts'

export default class Plan extends KtCommand {
  static override summary = 'Size a gateway for a peak: workers, machines, and which constraint binds.'
  static override description =
    "The vendor's formula first, then every constraint that can bind before it (CPU, network, connections, descriptors, ports, memory, quotas), counted in nodes. The figures are vendor defaults: calibrate them with --from-bench, or give what you measured."
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --explain',
    '<%= config.bin %> <%= command.id %> --requests-per-day 50k --avg-input-tokens 1500 --avg-output-tokens 800 --peak-multiplier 3',
    '<%= config.bin %> <%= command.id %> --rps 2000 --mix chat=70,rag=20,code-agent=10 --from-bench chat.json --from-bench long.json',
    '<%= config.bin %> <%= command.id %> --trace trace.csv --scale 1000 --window 10s --json',
  ]

  static override flags = {
    ...planFlags,
    explain: Flags.boolean({ description: 'every formula with its inputs, their sources and dates' }),
    json: Flags.boolean({ description: 'print the plan as JSON (kt.plan/1)', exclusive: ['markdown', 'explain'] }),
    markdown: Flags.boolean({ description: 'print the plan as Markdown', exclusive: ['explain'] }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Plan)
    const [{ planRequest }, { makePlan }, { confirmWait }, { PLAN_SCHEMA }, { ktVersion }] = await Promise.all([
      import('../../input/plan-request.ts'),
      import('../../plan/plan.ts'),
      import('../../plan/simulate/confirm.ts'),
      import('../../report/plan-schema.ts'),
      import('../../system/package-info.ts'),
    ])
    const { demand, sizing, choices } = await planRequest(flags)
    const made = makePlan(demand, sizing, choices)
    const simulated = confirmWait(demand, choices.figures, made.answer.workers.min)
    const plan: PlanReport = {
      schema: PLAN_SCHEMA,
      kt: { version: ktVersion },
      ...made,
      ...(simulated ? { simulated } : {}),
    }
    if (flags.json) this.printJson(plan)
    else if (flags.markdown) this.print((await import('../../render/plan-markdown.ts')).planMarkdown(plan))
    else this.print((await import('../../render/plan-table.ts')).renderPlan(plan, flags.explain))
  }
}
