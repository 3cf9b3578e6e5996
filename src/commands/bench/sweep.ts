import { configFlag, withConfig } from '../../bench/config.ts'
import { sweep } from '../../bench/sweep.ts'
import { parseSweepOptions, sweepFlags } from '../../bench/sweep-options.ts'
import { KtCommand } from '../../command.ts'
import { levelLine, progressLine, progressLogLine } from '../../output/progress.ts'
import { renderSweep } from '../../output/sweep-table.ts'
import { flagsOf } from '../../parse/flags.ts'
import { progressOnStderr } from '../../system/progress.ts'

export default class BenchSweep extends KtCommand {
  static override summary =
    'Raise the load level by level: the curve, its knee, and the highest load within each limit of added P99.'

  static override usage = 'bench sweep [FLAGS]'

  static override examples = [
    '<%= config.bin %> bench sweep',
    '<%= config.bin %> bench sweep --rps 50,100,200,400 --step 10s',
    "<%= config.bin %> bench sweep --rps 50,100,200,400 --until 'overhead.p99<7ms'",
    '<%= config.bin %> bench sweep --stream --input-tokens 500 --output-tokens 50 --gateway-workers 1,2 ' +
      '--output sweep.json',
  ]

  static override flags = flagsOf({ ...configFlag, ...sweepFlags })

  async run(): Promise<void> {
    const { flags } = await this.parse(BenchSweep)
    const { ask, options } = parseSweepOptions(withConfig(flags, Object.keys(sweepFlags), this.apiKey(undefined)))
    const { json, taken } = options.output
    const progress = progressOnStderr(!json)
    const { report, exitCode } = await sweep(options, ask, {
      argv: ['bench', 'sweep', ...this.argv],
      note: progress.note,
      level: (level) => json || progress.note(levelLine(level)),
      progress: (view) =>
        progress.show(
          (width) => progressLine(view, undefined, ask.stepMs, width),
          () => progressLogLine(view, undefined),
        ),
      interrupt: this.interruption(),
    }).finally(progress.end)
    this.show({ json, taken }, report, renderSweep)
    this.finish(exitCode)
  }
}
