import { KtCommand } from '../../command.ts'
import { renderBuffers } from '../../output/planning-tables.ts'
import { flagsOf } from '../../parse/flags.ts'
import { kongDirectives, kongPluginConfig, planBuffers } from '../../plan/buffers.ts'
import { bufferFlags, bufferRequest, parseBufferFlags } from '../../planning/buffer-request.ts'
import { rivalDemands } from '../../planning/plan-rules.ts'
import type { BuffersJson } from '../../report/planning-schemas.ts'

export default class PlanBuffers extends KtCommand {
  static override summary = 'Size body limits and buffers for the prompts, and the memory they cost.'
  static override description =
    'Sizes by the kind of traffic (chat, rag, batch) or by the largest prompt, and the memory at a number of ' +
    'concurrent requests, which is given or follows from the demand.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --kind rag --concurrency 1000',
    '<%= config.bin %> <%= command.id %> --largest-prompt 3MiB --input-peak 80M --output-peak 10M',
  ]

  static override flags = flagsOf(bufferFlags)

  static override rivals = rivalDemands

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanBuffers)
    const options = parseBufferFlags(flags)
    const { profiles, sizing, largestPromptBytes } = await bufferRequest(options)
    const plans = profiles.map(({ profile, concurrency, workers, meanBodyBytes }) =>
      planBuffers(profile, concurrency, workers, { meanBodyBytes, largestPromptBytes }),
    )
    if (options.json) {
      this.printJson({
        schema: 'kt.plan.buffers/1',
        source: sizing.buffers.source,
        buffers: plans.map((plan) => ({ ...plan, directives: kongDirectives(plan), plugins: kongPluginConfig(plan) })),
      } satisfies BuffersJson)
    } else this.print(renderBuffers(plans, sizing, this.page()))
  }
}
