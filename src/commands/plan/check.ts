import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { exitOf } from '../../errors.ts'
import { renderPlanCheck } from '../../output/planning-tables.ts'
import { checkRequest } from '../../planning/check-request.ts'
import { figureFlags } from '../../planning/plan-flags.ts'

export default class PlanCheck extends KtCommand {
  static override summary =
    'Check a plan against a measured run: exit 3 when the run contradicts it, 4 when inconclusive.'
  static override description =
    'Compares a report of kt bench, or the level of a sweep with the highest throughput, with a saved plan or ' +
    'with figures given as for kt plan: throughput of a worker, bytes per token, rate of a stream, time to ' +
    'first token.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --against report.json --plan plan.json',
    '<%= config.bin %> <%= command.id %> --against second.json --from-bench first.json --from-bench long.json ' +
      '--workers 2',
  ]

  static override flags = {
    against: Flags.string({
      required: true,
      helpValue: 'report.json',
      description: 'report of kt bench through the gateway, or of kt bench sweep',
    }),
    plan: Flags.string({
      helpValue: 'plan.json',
      description: "plan that 'kt plan --json' printed",
      exclusive: Object.keys(figureFlags).filter((name) => name !== 'sizing'),
    }),
    workers: Flags.string({
      helpValue: '1',
      description: 'workers of the gateway in the run [default: 1; a sweep of the embedded gateway records its own]',
    }),
    tolerance: Flags.string({ default: '10%', description: 'how much a run may fall short of the plan' }),
    ...figureFlags,
    json: Flags.boolean({ description: 'print the checks as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanCheck)
    const result = await checkRequest(flags)
    if (flags.json) this.printJson({ schema: 'kt.plan.check/1', ...result })
    else this.print(renderPlanCheck(result))
    this.finish(exitOf(result.verdict))
  }
}
