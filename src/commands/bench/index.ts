import * as Args from '@oclif/core/args'
import { benchWith } from '../../api/bench.ts'
import { rivalsOf } from '../../bench/config.ts'
import { onceFlags, parseOnce, preview } from '../../bench/once.ts'
import { liveFlag, wantsLive } from '../../bench/options/live.ts'
import { benchFlags, parseBenchOptions } from '../../bench/options.ts'
import { KtCommand } from '../../command.ts'
import { writeExports } from '../../exports/write.ts'
import { benchProperties, renderBenchMarkdown } from '../../output/bench-markdown.ts'
import { renderBench } from '../../output/bench-table.ts'
import * as ci from '../../output/ci.ts'
import { SMALLEST } from '../../output/live-view.ts'
import { beside } from '../../output/progress.ts'
import { showProgress } from '../../output/show-progress.ts'
import { writePage } from '../../page/write.ts'
import { flagsOf } from '../../parse/flags.ts'
import { givenOf } from '../../parse/parse-flags.ts'
import { otlpHeadersOf } from '../../system/environment.ts'
import { noProgress, progressOnStderr } from '../../system/progress.ts'

export default class Bench extends KtCommand {
  static override summary =
    'Measure an AI endpoint: latency, tokens, throughput, and the overhead of the gateway in front of it.'

  static override description =
    'Without a URL the command starts its own simulated provider and reference gateway, and measures through the ' +
    'gateway and directly, alternating between both. The API key comes from --api-key, KT_API_KEY or OPENAI_API_KEY ' +
    'and is never shown or stored. Each prompt ends with a nonce, so that no cache answers for the target.'

  static override examples = [
    '<%= config.bin %> bench',
    '<%= config.bin %> bench --stream --measure-ttfb',
    '<%= config.bin %> bench --url http://localhost:41002/v1/chat/completions --requests 100 --concurrency 10 ' +
      '--model gpt-4o-mini --prompt "Say hello in one word"',
    '<%= config.bin %> bench --arm old=http://localhost:41002 --arm new=http://localhost:41003 ' +
      '--baseline-url http://localhost:41001 --requests 100',
    '<%= config.bin %> bench --rps 100 --duration 60s --model gpt-4o-mini',
    '<%= config.bin %> bench http://localhost:41002/v1 -n 100 -c 10 --dry-run',
  ]

  static override args = { url: Args.string({ description: 'URL to send to, as --url' }) }

  static override flags = flagsOf({ ...benchFlags, ...liveFlag, ...onceFlags })

  static override rivals = rivalsOf

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Bench)
    const options = parseBenchOptions(
      givenOf({ ...this.withUrl(flags, args.url), 'api-key': this.apiKey(flags['api-key']) }),
    )
    const { json, taken, explain, percentiles, ...output } = options.output
    const once = parseOnce(flags, 'kt bench')
    if (once) {
      const note = (line: string): void => this.note(line)
      return this.finish(await preview(once, { options, note, show: (...what) => this.show({ json }, ...what) }))
    }
    const live = wantsLive(flags, json)
    const progress = this.quiet ? noProgress : progressOnStderr({ json, screenFrom: live ? SMALLEST : undefined })
    showProgress(progress, beside('starting'), { arms: [] })
    const hurry = new AbortController()
    const interrupt = this.interruption(hurry)
    const result = await benchWith(options, {
      argv: ['bench', ...this.argv],
      note: progress.note,
      live: live && progress.screens,
      progress: (view, extent, source) => showProgress(progress, view, extent, source && { source, c: this.chalk }),
      interrupt,
      hurry: hurry.signal,
    }).finally(progress.end)
    const { report, verdict } = result
    this.show({ json, taken, explain }, report, (shown, page) =>
      renderBench(shown, { ...result, statistics: percentiles, showTtfb: output['measure-ttfb'] }, page),
    )
    const sending = { traced: result.kept, headers: otlpHeadersOf(process.env), note: progress.note }
    const published = {
      name: 'kt bench',
      gate: verdict,
      properties: benchProperties(report),
      timestamp: report.startedAt,
      markdown: () => renderBenchMarkdown(report, verdict),
    }
    const unwritten = await this.writeBeside(
      () => writeExports(output, report, sending),
      () =>
        writePage(output.html, async () => {
          const { reportDocument } = await import('../../page/bench-document.ts')
          return reportDocument(report)
        }),
      () => ci.publish(output, published),
    )
    this.finish(unwritten ?? result.exitCode)
  }
}
