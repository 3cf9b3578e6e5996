import { benchWith } from '../../api/bench.ts'
import { configFlag, withConfig } from '../../bench/config.ts'
import { benchFlags, parseBenchOptions } from '../../bench/options.ts'
import { KtCommand } from '../../command.ts'
import { benchProperties, renderBenchMarkdown } from '../../output/bench-markdown.ts'
import { renderBench } from '../../output/bench-table.ts'
import * as ci from '../../output/ci.ts'
import { progressLine, progressLogLine } from '../../output/progress.ts'
import { flagsOf } from '../../parse/flags.ts'
import { progressOnStderr } from '../../system/progress.ts'

export default class Bench extends KtCommand {
  static override summary =
    'Measure an AI endpoint: latency, tokens, throughput, and the overhead of the gateway in front of it.'

  static override description =
    `Without --url the command starts its own simulated provider and reference gateway, and measures through the gateway
and directly, alternating between both. The API key comes from --api-key, KT_API_KEY or OPENAI_API_KEY and is never
shown or stored.`

  static override examples = [
    '<%= config.bin %> bench',
    '<%= config.bin %> bench --stream --measure-ttfb',
    '<%= config.bin %> bench --url http://localhost:41002/v1/chat/completions --requests 100 --concurrency 10 ' +
      '--model gpt-4o-mini --prompt "Say hello in one word"',
    '<%= config.bin %> bench --rps 100 --duration 60s --model gpt-4o-mini',
  ]

  static override flags = flagsOf({ ...configFlag, ...benchFlags })

  async run(): Promise<void> {
    const { flags } = await this.parse(Bench)
    const options = parseBenchOptions(withConfig(flags, Object.keys(benchFlags), this.apiKey(undefined)))
    const { json, taken, ...output } = options.output
    const progress = progressOnStderr(!json)
    const hurry = new AbortController()
    const interrupt = this.interruption(hurry)
    const result = await benchWith(options, {
      argv: ['bench', ...this.argv],
      note: progress.note,
      progress: (view, total) =>
        progress.show(
          (width) => progressLine(view, total, options.load.duration, width),
          () => progressLogLine(view, total),
        ),
      interrupt,
      hurry: hurry.signal,
    }).finally(progress.end)
    const { report, verdict } = result
    this.show({ json, taken }, report, (shown, color) =>
      renderBench(shown, { ...result, color, showTtfb: output['measure-ttfb'] }),
    )
    await ci.publish(output, {
      name: 'kt bench',
      gate: verdict,
      properties: benchProperties(report),
      timestamp: report.startedAt,
      markdown: () => renderBenchMarkdown(report, verdict),
    })
    this.finish(result.exitCode)
  }
}
