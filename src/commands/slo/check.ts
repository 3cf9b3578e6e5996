import { Args, Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { EXIT } from '../../errors.ts'

export default class SloCheck extends KtCommand {
  static override summary = 'Judge a run by what its category of requests is promised.'

  static override description =
    `Targets of P50 and P99, goodput and the burn of the error budget, by the categories of profiles/slo.yaml or of --slo. Without
--category the endpoint and the tokens of the prompts decide. PASS is exit 0, FAIL exit 3, INCONCLUSIVE exit 4.`

  static override examples = [
    '<%= config.bin %> <%= command.id %> report.json',
    '<%= config.bin %> <%= command.id %> report.json --category chat-short',
    '<%= config.bin %> <%= command.id %> report.json --slo my-slo.yaml --category search --junit slo.xml',
  ]

  static override args = {
    report: Args.string({ description: 'report of kt bench', required: true }),
  }

  static override flags = {
    category: Flags.string({ description: 'category of the requests, such as chat-short' }),
    slo: Flags.string({ description: 'file of categories [default: profiles/slo.yaml]' }),
    inconclusive: Flags.option({
      description: 'fail: exit 4 when the data cannot tell (default); warn: exit 0',
      options: ['fail', 'warn'] as const,
    })(),
    json: Flags.boolean({ description: 'print the judgement as JSON (kt.slo/1)' }),
    junit: Flags.string({ description: 'write the verdicts as JUnit XML to this file' }),
    markdown: Flags.string({ description: 'write the verdicts as Markdown to this file' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SloCheck)
    const [{ checkSlo }, { renderSlo, renderSloMarkdown }, { renderJunit }, { renderAnnotations }, ci] =
      await Promise.all([
        import('../../report/slo-file.ts'),
        import('../../render/slo-table.ts'),
        import('../../render/junit.ts'),
        import('../../render/annotations.ts'),
        import('../../system/ci.ts'),
      ])
    ci.assertCiWritable(flags)
    const judged = checkSlo(args.report, flags.category, flags.slo)
    if (flags.json) this.printJson(judged)
    else this.print(renderSlo(judged, this.color))
    const name = 'kt slo check'
    const inconclusive = flags.inconclusive ?? 'fail'
    const { slo, startedAt, file } = judged
    ci.publish(flags, {
      junit: () =>
        renderJunit({
          name,
          gate: slo,
          inconclusive,
          properties: { report: file, category: slo.category },
          timestamp: startedAt,
        }),
      markdown: () => renderSloMarkdown(judged),
      annotations: () => renderAnnotations(name, slo),
    })
    this.finish(
      {
        pass: EXIT.passed,
        fail: EXIT.breached,
        inconclusive: inconclusive === 'warn' ? EXIT.passed : EXIT.inconclusive,
      }[slo.verdict],
    )
  }
}
