import { Args, Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import * as ci from '../../output/ci.ts'
import { ciFlags } from '../../output/ci.ts'
import { renderComparison } from '../../output/compare-table.ts'
import { comparisonProperties, renderComparisonMarkdown } from '../../output/markdown.ts'
import { stdoutFlag } from '../../report/write-report.ts'
import { exitOfComparison } from '../../verdict/compare.ts'
import { compareFiles } from '../../verdict/compare-files.ts'

export default class BenchCompare extends KtCommand {
  static override summary = 'Compare two runs, and gate on what the gateway adds or on what a change to it costs.'

  static override description =
    `Mode overhead (direct against gateway) judges P99 overhead against the budget; mode regression (old gateway against new) how much
P99 grew. The roles in the reports decide, or --mode. PASS is exit 0, FAIL exit 3, INCONCLUSIVE exit 4: the files cannot tell, with
the reason and the number of requests that would. The figures are printed in any case. One file that holds both arms of a run
measured in turns is compared with itself, block by block.`

  static override examples = [
    '<%= config.bin %> bench compare baseline.json gateway.json',
    '<%= config.bin %> bench compare baseline.json gateway.json --budget 12ms --inconclusive warn',
    '<%= config.bin %> bench compare old.json new.json --mode regression --max-regression 0.5ms,10%',
    "<%= config.bin %> bench compare baseline.json gateway.json --threshold 'overhead.p99<7ms' --threshold 'errors.rate<0.1%'",
    '<%= config.bin %> bench compare baseline.json gateway.json --junit kt.xml --markdown kt.md',
  ]

  static override args = {
    baseline: Args.string({ description: 'report of the run to compare with', required: true }),
    gateway: Args.string({
      description: 'report of the run through the gateway; not needed when the first holds both arms',
    }),
  }

  static override flags = {
    mode: Flags.option({
      description: 'the question, instead of what the roles in the reports say',
      options: ['overhead', 'regression'] as const,
    })(),
    budget: Flags.string({ description: "limit of P99 overhead, such as '7ms' [default: of --budgets]" }),
    budgets: Flags.string({
      description:
        'gate on this file: the total, and each part that the gateway tells [default: profiles/budgets.yaml]',
    }),
    'max-regression': Flags.string({
      description: 'how much P99 may grow: a duration, a share, or both for the larger [default: 0.5ms,10%]',
    }),
    threshold: Flags.string({
      description:
        "what must hold, such as 'overhead.p99<7ms'; repeatable; instead of the mode's own limit unless that is given too",
      multiple: true,
    }),
    noise: Flags.string({
      helpValue: 'aa.json',
      description: "report of an A/A run on this rig, to stand beside the verdict [default: the gateway run's own]",
    }),
    'allow-different': Flags.boolean({ description: 'judge although what the runs measured differs' }),
    'no-gate': Flags.boolean({
      description: 'print the figures only, exit 0',
      exclusive: ['budget', 'budgets', 'max-regression', 'threshold', 'allow-different', 'inconclusive', 'junit'],
    }),
    json: Flags.boolean({ description: 'print the comparison (kt.compare/1) instead of tables' }),
    ...ciFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BenchCompare)
    const { json, junit, markdown } = flags
    const taken = stdoutFlag({ '--junit': junit, '--markdown': markdown }, json)
    ci.assertCiWritable(flags)
    const comparison = compareFiles(args, flags)
    this.show({ json, taken }, comparison, (color) => renderComparison(comparison, color))
    await ci.publish(flags, {
      name: 'kt bench compare',
      gate: comparison.gate,
      properties: comparisonProperties(comparison),
      timestamp: comparison.gateway.startedAt,
      markdown: () => renderComparisonMarkdown(comparison),
    })
    this.finish(exitOfComparison(comparison, flags.inconclusive))
  }
}
