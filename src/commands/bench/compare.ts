import * as Args from '@oclif/core/args'
import { compareWith } from '../../api/compare.ts'
import { KtCommand } from '../../command.ts'
import * as ci from '../../output/ci.ts'
import { renderComparison } from '../../output/compare-table.ts'
import { comparisonProperties, renderComparisonMarkdown } from '../../output/markdown.ts'
import { assertPageWritable, htmlFlag } from '../../page/flag.ts'
import { writePage } from '../../page/write.ts'
import { flagsOf } from '../../parse/flags.ts'
import { stdoutFlag } from '../../report/write-report.ts'
import { exitOfComparison } from '../../verdict/compare.ts'
import { COMPARE_RULES, compareFlags, givesLimit, readSides } from '../../verdict/compare-files.ts'

export default class BenchCompare extends KtCommand {
  static override summary =
    'Compare two runs, and gate on the overhead of the gateway or on the regression of a new one.'

  static override description =
    `Mode overhead (direct against gateway) judges P99 overhead against the budget. Mode regression (old gateway against
new) judges the growth of P99. The roles in the reports choose the mode, unless --mode does. PASS is exit 0, FAIL exit
3. INCONCLUSIVE says why, and how many requests would decide it; it is exit 4 where you gave a limit, and exit 0 where
the standard one was judged (7 ms, or growth by 0.5 ms and 10 %). The figures are printed in any case. A file that
holds both arms of a paired run is compared block by block.`

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

  static override flags = flagsOf({ ...compareFlags, ...htmlFlag, ...ci.ciFlags })

  async run(): Promise<void> {
    const { args, flags: given } = await this.parse(BenchCompare)
    const { html, ...flags } = given
    const { options } = ci.parseJudgingFlags(flags, compareFlags, 'kt bench compare', COMPARE_RULES)
    ci.assertCiWritable(options)
    assertPageWritable(html)
    const { json, junit, markdown, explain } = options
    const taken = stdoutFlag({ '--html': html, '--junit': junit, '--markdown': markdown }, json)
    const sides = readSides(args)
    const comparison = compareWith(sides, options)
    this.show({ json, taken, explain }, comparison, renderComparison)
    const published = {
      name: 'kt bench compare',
      gate: comparison.gate,
      properties: comparisonProperties(comparison),
      timestamp: comparison.gateway.startedAt,
      markdown: () => renderComparisonMarkdown(comparison),
    }
    const unwritten = await this.writeBeside(
      () =>
        writePage(html, async () => {
          const { compareDocument } = await import('../../page/compare-document.ts')
          return compareDocument(comparison, sides)
        }),
      () => ci.publish(options, published),
    )
    this.finish(
      unwritten ?? exitOfComparison(comparison, options.inconclusive ?? (givesLimit(options) ? 'fail' : 'warn')),
    )
  }
}
