import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { planMarkdown } from '../../output/plan-markdown.ts'
import { answer, renderPlan } from '../../output/plan-table.ts'
import { emit, emitRequest } from '../../planning/emit.ts'
import { planFlags } from '../../planning/plan-flags.ts'
import { planReport } from '../../planning/plan-request.ts'
import { clusterSettings } from '../../planning/settings.ts'

const EMIT = 'MANIFESTS'

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

  static override flags = {
    ...planFlags,
    emit: Flags.option({
      options: ['kubernetes', 'helm-values', 'keda', 'kong', 'terraform'] as const,
      multiple: true,
    })({ description: 'write manifests of this kind into --out; repeatable', helpGroup: EMIT }),
    out: Flags.string({ helpValue: 'deploy', description: 'folder for the manifests', helpGroup: EMIT }),
    name: Flags.string({ helpValue: 'kt-gateway', description: 'name of the deployment', helpGroup: EMIT }),
    image: Flags.string({ helpValue: 'kt-bench:0.1.0', description: 'image of the gateway', helpGroup: EMIT }),
    'provider-url': Flags.string({ helpValue: 'url', description: 'base URL of the provider', helpGroup: EMIT }),
    'prometheus-url': Flags.string({
      helpValue: 'url',
      description: 'Prometheus that KEDA asks for bytes sent',
      helpGroup: EMIT,
    }),
    explain: Flags.boolean({ description: 'show every formula with its inputs, their sources and dates' }),
    json: Flags.boolean({ description: 'print the plan as JSON (kt.plan/1)', exclusive: ['markdown', 'explain'] }),
    markdown: Flags.boolean({ description: 'print the plan as Markdown' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Plan)
    const emitting = emitRequest(flags)
    const { plan, demand, sizing, choices } = await planReport(flags)
    if (emitting) {
      const settings = clusterSettings(plan, answer(plan), demand, sizing, choices, emitting.options)
      for (const path of await emit(emitting.targets, settings, emitting.folder))
        process.stderr.write(`kt: wrote ${path}\n`)
    }
    if (flags.json) this.printJson(plan)
    else if (flags.markdown) this.print(planMarkdown(plan, flags.explain))
    else this.print(renderPlan(plan, flags.explain))
  }
}
