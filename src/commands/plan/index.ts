import { planWith } from '../../api/plan.ts'
import { KtCommand } from '../../command.ts'
import { EXIT } from '../../errors.ts'
import { deployment } from '../../output/plan-answer.ts'
import { planMarkdown } from '../../output/plan-markdown.ts'
import { renderPlan } from '../../output/plan-table.ts'
import { htmlFlag, openPage } from '../../page/flag.ts'
import { writePage } from '../../page/write.ts'
import { flagsOf } from '../../parse/flags.ts'
import { emitRequest } from '../../planning/emit-flags.ts'
import { parsePlanFlags, planCommandFlags } from '../../planning/plan-options.ts'
import { rivalDemands } from '../../planning/plan-rules.ts'
import { clusterSettings } from '../../planning/settings.ts'

export default class Plan extends KtCommand {
  static override summary = 'Size a gateway for a peak: workers, machines, and which constraint binds.'
  static override description =
    "Applies the vendor's formula, then every constraint that can bind before it (CPU, network, connections, " +
    'descriptors, ports, memory, quotas), counted in nodes. The figures are vendor defaults: calibrate them ' +
    'with --from-bench, or give figures that you measured.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --input-peak 80M --output-peak 10M --explain',
    '<%= config.bin %> <%= command.id %> --requests-per-day 50k --avg-input-tokens 1500 --avg-output-tokens ' +
      '800 --peak-multiplier 3',
    '<%= config.bin %> <%= command.id %> --rps 2000 --mix chat=70,rag=20,code-agent=10 --from-bench chat.json ' +
      '--from-bench long.json',
    '<%= config.bin %> <%= command.id %> --trace trace.csv --scale 1000 --window 10s --json',
  ]

  static override flags = flagsOf({ ...planCommandFlags, ...htmlFlag })

  static override rivals = rivalDemands

  async run(): Promise<void> {
    const { html, ...flags } = (await this.parse(Plan)).flags
    const options = parsePlanFlags(flags, `kt ${this.id?.replaceAll(':', ' ')}`)
    const taken = openPage(html, options.json)
    const emitting = emitRequest(options)
    const { plan, demand, sizing, choices } = await planWith(options)
    if (emitting) {
      const { emit } = await import('../../planning/emit.ts')
      const settings = clusterSettings(plan, deployment(plan), demand, sizing, choices, emitting.options)
      for (const path of await emit(emitting.targets, settings, emitting.folder)) this.note(`kt: wrote ${path}`)
    }
    const { json, explain } = options
    this.show({ json, taken, explain }, plan, (shown, page) =>
      options.markdown ? planMarkdown(shown, explain) : renderPlan(shown, page),
    )
    const unwritten = await this.writeBeside(() =>
      writePage(html, async () => {
        const { planDocument } = await import('../../page/documents.ts')
        return planDocument(plan)
      }),
    )
    this.finish(unwritten ?? EXIT.passed)
  }
}
