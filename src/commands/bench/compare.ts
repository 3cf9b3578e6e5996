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
  static override summary =
    'Compare two runs, and gate on the overhead of the gateway or on the regression of a new one.'

  static override description =
    `Mode overhead (direct against gateway) judges P99 overhead against the budget. Mode regression (old gateway against
new) judges the growth of P99. The roles in the reports choose the mode, unless --mode does. PASS is exit 0, FAIL exit
3. INCONCLUSIVE is exit 4: the files do not decide it; the reason and the number of requests that would decide it are
printed. The figures are printed in any case. A file that holds both arms of a paired run is compared block by block.`

  static override examples = [
    '<%= config.bin %> bench compare baseline.json gateway.json',
    '<%= config.bin %> bench compare baseline.json gateway.json --budget 12ms --inconclusive warn',
    '<%= config.bin %> bench compare old.json new.json --mode regression --max-regression 0.5ms,10%',
    "<%= config.bin %> bench compare baseline.json gateway.json --threshold 'overhead.p99<7ms' --threshold " +
      "'errors.rate<0.1%'",
    '<%= config.bin %> bench compare baseline.json gateway.json --junit kt.xml --markdown kt.md',
  ]

  static override args = {
    baseline: Args.string({ description: 'report of the baseline run', required: true }),
    gateway: Args.string({
      description: 'report of the run through the gateway; not needed when the first file holds both arms',
    }),
  }

  static override flags = {
    mode: Flags.option({
      description: 'question to judge [default: by the roles in the reports]',
      options: ['overhead', 'regression'] as const,
    })(),
    budget: Flags.string({ description: "limit of P99 overhead, such as '7ms' [default: the total of --budgets]" }),
    budgets: Flags.string({
      description:
        'gate on this file: the total, and each part that the gateway reports [default: profiles/budgets.yaml]',
    }),
    'max-regression': Flags.string({
      description:
        'limit of the growth of P99: a duration, a share, or both, of which the larger holds [default: 0.5ms,10%]',
    }),
    threshold: Flags.string({
      description:
        "threshold, such as 'overhead.p99<7ms'; repeatable; replaces the limit of the mode unless that is given too",
      multiple: true,
    }),
    noise: Flags.string({
      helpValue: 'aa.json',
      description:
        'report of an A/A run on this rig, whose noise is shown beside the verdict [default: the noise of the ' +
        'gateway run]',
    }),
    'allow-different': Flags.boolean({ description: 'judge even if the runs measured different things' }),
    'no-gate': Flags.boolean({
      description: 'print only the figures and exit 0',
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
