import * as Args from '@oclif/core/args'
import { sweepWith } from '../../api/sweep.ts'
import { rivalsOf } from '../../bench/config.ts'
import { onceFlags, parseOnce, preview } from '../../bench/once.ts'
import { liveFlag, wantsLive } from '../../bench/options/live.ts'
import { parseSweepOptions, sweepFlags } from '../../bench/sweep-options.ts'
import { levelExtent, levelLine, placeName } from '../../bench/sweep-progress.ts'
import { KtCommand } from '../../command.ts'
import { SMALLEST } from '../../output/live-view.ts'
import { beside } from '../../output/progress.ts'
import { showProgress } from '../../output/show-progress.ts'
import { renderSweep } from '../../output/sweep-table.ts'
import { writePage } from '../../page/write.ts'
import { flagsOf } from '../../parse/flags.ts'
import { givenOf } from '../../parse/parse-flags.ts'
import { noProgress, progressOnStderr } from '../../system/progress.ts'

export default class BenchSweep extends KtCommand {
  static override summary =
    'Raise the load level by level: the curve, its knee, and the highest load within each limit of added P99.'

  static override examples = [
    '<%= config.bin %> bench sweep',
    '<%= config.bin %> bench sweep --rps 50,100,200,400 --step 10s',
    '<%= config.bin %> bench sweep http://localhost:41002 --rps 50,100,200 --dry-run',
    "<%= config.bin %> bench sweep --rps 50,100,200,400 --until 'overhead.p99<7ms'",
    '<%= config.bin %> bench sweep --stream --input-tokens 500 --output-tokens 50 --gateway-workers 1,2 ' +
      '--output sweep.json',
  ]

  static override args = { url: Args.string({ description: 'URL to send to, as --url' }) }

  static override flags = flagsOf({ ...sweepFlags, ...liveFlag, ...onceFlags })

  static override rivals = rivalsOf

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BenchSweep)
    const { ask, options } = parseSweepOptions(
      givenOf({ ...this.withUrl(flags, args.url), 'api-key': this.apiKey(flags['api-key']) }),
    )
    const { json, taken, explain, html } = options.output
    const once = parseOnce(flags, 'kt bench sweep')
    if (once) {
      const note = (line: string): void => this.note(line)
      return this.finish(await preview(once, { options, ask, note, show: (...what) => this.show({ json }, ...what) }))
    }
    const live = wantsLive(flags, json)
    const progress = this.quiet ? noProgress : progressOnStderr({ json, screenFrom: live ? SMALLEST : undefined })
    showProgress(progress, beside('starting'), { arms: [] })
    const { report, exitCode } = await sweepWith(options, ask, {
      argv: ['bench', 'sweep', ...this.argv],
      note: progress.note,
      level: (level, at) => progress.log(levelLine(level, placeName(at, ask), at.again)),
      live: live && progress.screens,
      progress: (view, at, source) => {
        showProgress(progress, view, levelExtent(at, ask), source && { source, c: this.chalk })
      },
      interrupt: this.interruption(),
    }).finally(progress.end)
    this.show({ json, taken, explain }, report, renderSweep)
    const unwritten = await this.writeBeside(() =>
      writePage(html, async () => {
        const { sweepDocument } = await import('../../page/documents.ts')
        return sweepDocument(report)
      }),
    )
    this.finish(unwritten ?? exitCode)
  }
}
