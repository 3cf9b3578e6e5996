import { Flags } from '@oclif/core'
import { embeddedFlags, pacingFlags, requestFlags, targetFlags } from '../../bench/bench-flags.ts'
import { withConfig } from '../../bench/config.ts'
import { sweep } from '../../bench/sweep.ts'
import { parseSweepOptions } from '../../bench/sweep-options.ts'
import { KtCommand } from '../../command.ts'
import { levelLine, progressLine, progressLogLine } from '../../output/progress.ts'
import { renderSweep } from '../../output/sweep-table.ts'
import { stdoutFlag } from '../../report/write-report.ts'
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

  static override flags = {
    rps: Flags.string({ helpValue: '50,100,200', description: 'open loop: rising request rates', helpGroup: 'LEVELS' }),
    concurrency: Flags.string({
      helpValue: '1,2,4,8',
      description: 'closed loop: rising numbers of requests in flight [default: 1 to 64]',
      helpGroup: 'LEVELS',
    }),
    step: Flags.string({
      helpValue: '5s',
      description: 'duration of each level [default: 5s]',
      helpGroup: 'LEVELS',
    }),
    until: Flags.string({
      helpValue: "'overhead.p99<7ms'",
      description: 'search for the highest load within this limit',
      helpGroup: 'LEVELS',
    }),
    'gateway-workers': Flags.string({
      helpValue: '1,2',
      description: 'numbers of processes of the embedded gateway, with a curve for each [default: 1]',
      helpGroup: 'LEVELS',
    }),
    ...targetFlags,
    ...requestFlags,
    ...pacingFlags,
    ...embeddedFlags,
    output: Flags.string({
      description: "write the report (kt.sweep/1) to this file; '-': stdout",
      helpGroup: 'RESULT',
    }),
    json: Flags.boolean({ description: 'print the report instead of tables', helpGroup: 'RESULT' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(BenchSweep)
    const { config, ...typed } = flags
    const { config: _, ...known } = BenchSweep.flags
    const given = withConfig(typed, config, Object.keys(known))
    given.values['api-key'] ??= this.apiKey(undefined)
    const { ask, options } = parseSweepOptions(given)
    const { output, json } = options
    const taken = stdoutFlag({ '--output': output }, json)
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
    this.show({ json, taken }, report, (color) => renderSweep(report, color))
    this.finish(exitCode)
  }
}
