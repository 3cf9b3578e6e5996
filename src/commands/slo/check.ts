import * as Args from '@oclif/core/args'
import { KtCommand } from '../../command.ts'
import * as ci from '../../output/ci.ts'
import { renderSlo, renderSloMarkdown, sloProperties } from '../../output/slo-table.ts'
import { flagsOf } from '../../parse/flags.ts'
import { checkSlo, chooseSlo, exitOfSlo, SLO_RULES, sloFlags, sloGate } from '../../verdict/slo-file.ts'

export default class SloCheck extends KtCommand {
  static override summary = 'Judge a run by the SLO of its category of requests.'

  static override description =
    'Judges the targets of P50 and P99, goodput, and the burn of the error budget by the categories that ship with ' +
    'kt or those of --slo-file. Without --slo a mixed run has a row for each category of its requests; for any other ' +
    'run the endpoint and the tokens of the prompts select the category.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> report.json',
    '<%= config.bin %> <%= command.id %> report.json --slo chat-short',
    '<%= config.bin %> <%= command.id %> report.json --slo-file my-slo.yaml --slo search --junit slo.xml',
  ]

  static override args = {
    report: Args.string({ description: 'report of kt bench', required: true }),
  }

  static override flags = flagsOf({ ...sloFlags, ...ci.ciFlags })

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SloCheck)
    const { options, taken } = ci.parseJudgingFlags(flags, sloFlags, 'kt slo check', SLO_RULES)
    ci.assertCiWritable(options)
    const { category, file } = chooseSlo(options)
    const { json, explain } = options
    const judged = checkSlo(args.report, options.category ?? category, file)
    this.show({ json, taken, explain }, judged, renderSlo)
    const { slo, startedAt } = judged
    const published = {
      name: 'kt slo check',
      gate: sloGate(slo),
      properties: sloProperties(judged),
      timestamp: startedAt,
      markdown: () => renderSloMarkdown(judged),
    }
    const unwritten = await this.writeBeside(() => ci.publish(options, published))
    this.finish(unwritten ?? exitOfSlo(judged, options.inconclusive))
  }
}
