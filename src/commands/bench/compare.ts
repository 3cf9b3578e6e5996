import { Args, Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { EXIT, UserError } from '../../errors.ts'

export default class BenchCompare extends KtCommand {
  static override summary = 'Compare a run through a gateway with its baseline, and gate on what the gateway adds.'

  static override description =
    `The verdict is on P99 overhead against the budget: PASS (exit 0), FAIL (exit 3) or INCONCLUSIVE (exit 4) where the two
files cannot tell, with the reason and the number of requests that would. The figures are printed in any case.`

  static override examples = [
    '<%= config.bin %> bench compare baseline.json gateway.json',
    '<%= config.bin %> bench compare baseline.json gateway.json --budget 12ms --inconclusive warn',
  ]

  static override args = {
    baseline: Args.string({ description: 'report of the run without the gateway', required: true }),
    gateway: Args.string({ description: 'report of the run through the gateway', required: true }),
  }

  static override flags = {
    budget: Flags.string({ description: "limit of P99 overhead, such as '7ms' [default: profiles/budgets.yaml]" }),
    'no-gate': Flags.boolean({ description: 'print the figures only, exit 0', exclusive: ['budget', 'inconclusive'] }),
    inconclusive: Flags.option({
      description: 'fail: exit 4 when the data cannot tell (default); warn: exit 0',
      options: ['fail', 'warn'] as const,
    })(),
    json: Flags.boolean({ description: 'print the comparison (kt.compare/1) instead of tables' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BenchCompare)
    const [{ readReport }, { compareReports }, { renderComparison }, { readBudgets }] = await Promise.all([
      import('../../report/read.ts'),
      import('../../report/compare.ts'),
      import('../../render/compare-table.ts'),
      import('../../report/budgets.ts'),
    ])
    const budgetMs = flags.budget === undefined ? readBudgets().totalMs : await limitOf(flags.budget)
    const comparison = compareReports(readReport(args.baseline), readReport(args.gateway), {
      files: args,
      budgetMs,
      noGate: flags['no-gate'],
    })
    if (flags.json) this.printJson(comparison)
    else this.print(renderComparison(comparison, this.color))
    const verdict = comparison.gate?.verdict ?? 'pass'
    const inconclusive = flags.inconclusive === 'warn' ? EXIT.passed : EXIT.inconclusive
    this.finish({ pass: EXIT.passed, fail: EXIT.breached, inconclusive }[verdict])
  }
}

async function limitOf(text: string): Promise<number> {
  const { durationMs } = await import('../../input/quantity.ts')
  const parsed = durationMs.safeParse(text)
  if (parsed.success) return parsed.data
  throw new UserError(`--budget: ${parsed.error.issues[0]?.message}`, "Give a duration such as '7ms'.")
}
