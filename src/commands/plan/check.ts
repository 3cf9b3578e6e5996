import { KtCommand } from '../../command.ts'
import { exitOf } from '../../errors.ts'
import { renderPlanCheck } from '../../output/planning-tables.ts'
import { flagsOf } from '../../parse/flags.ts'
import { checkFlags, checkRequest, parseCheckFlags } from '../../planning/check-request.ts'
import type { PlanCheckJson } from '../../report/planning-schemas.ts'

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

  static override flags = flagsOf(checkFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanCheck)
    const options = parseCheckFlags(flags)
    const result = await checkRequest(options)
    if (options.json) this.printJson({ schema: 'kt.plan.check/1', ...result } satisfies PlanCheckJson)
    else this.print(renderPlanCheck(result, this.page()))
    this.finish(exitOf(result.verdict))
  }
}
