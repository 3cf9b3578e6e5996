import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { EXIT } from '../../errors.ts'
import { renderPlanCheck } from '../../output/instances-table.ts'
import { checkRequest } from '../../planning/check-request.ts'
import { figureFlags } from '../../planning/plan-flags.ts'

export default class PlanCheck extends KtCommand {
  static override summary = 'Does a measured run confirm the plan? Exit 3 where it does not, 4 where it cannot tell.'
  static override description =
    'Holds a report of kt bench, or the level of a sweep at which most passed, against a saved plan, or against figures given as to kt plan: what a worker passes, bytes per token, the pace of a stream, the time to first token.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --against report.json --plan plan.json',
    '<%= config.bin %> <%= command.id %> --against second.json --from-bench first.json --from-bench long.json --workers 2',
  ]

  static override flags = {
    against: Flags.string({
      required: true,
      helpValue: 'report.json',
      description: 'a report of kt bench through the gateway, or of kt bench sweep',
    }),
    plan: Flags.string({
      helpValue: 'plan.json',
      description: "a plan as 'kt plan --json' printed it",
      exclusive: Object.keys(figureFlags).filter((name) => name !== 'sizing'),
    }),
    workers: Flags.string({
      helpValue: '1',
      description:
        'workers of the gateway that carried the run [default: 1; a sweep of the embedded gateway knows its own]',
    }),
    tolerance: Flags.string({ default: '10%', description: 'how far a run may fall short of the plan' }),
    ...figureFlags,
    json: Flags.boolean({ description: 'print the checks as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanCheck)
    const result = await checkRequest(flags)
    if (flags.json) this.printJson({ schema: 'kt.plan.check/1', ...result })
    else this.print(renderPlanCheck(result))
    this.finish(
      result.verdict === 'fail' ? EXIT.breached : result.verdict === 'inconclusive' ? EXIT.inconclusive : EXIT.passed,
    )
  }
}
